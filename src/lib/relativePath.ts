/** Paths of files inside a model's folder, as listings and manifests name them. */
import { z } from './zod.ts';

/** A relative path with forward slashes that stays inside its folder. */
export function isRelativePath(path: string): boolean {
  return /^[\w.@-]+(\/[\w.@-]+)*$/.test(path) && !path.split('/').some((name) => /^\.+$/.test(name));
}

/** Whether a path of somebody else's listing stays inside its folder, whatever its names are made of. */
export function staysInside(path: string): boolean {
  return path.split('/').every((name) => name !== '' && !/^\.+$|[\\\p{Cc}]/u.test(name));
}

export const relativePath = z.string().refine(isRelativePath, 'expected a relative path without ".."');
