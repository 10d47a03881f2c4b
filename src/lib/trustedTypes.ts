/**
 * Where the browser asks for it (Trusted Types), an address that becomes a script passes here: only files of the page's own origin do. Nothing
 * may become markup.
 */
import { AppError } from './errors.ts';

interface Factory {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): unknown;
}

/** To be called once in the page and once in each worker, before anything is loaded. */
export function trustOwnScripts(): void {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory };
  trustedTypes?.createPolicy('default', { createScriptURL: requireOwn });
}

function requireOwn(address: string): string {
  if (new URL(address, location.href).origin === location.origin) return address;
  throw new AppError('page.script', `A script of another origin was not loaded: ${address.slice(0, 200)}.`);
}
