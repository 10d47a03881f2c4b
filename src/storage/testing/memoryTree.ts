/** The file tree in memory, for tests: a disk of a given size that can fill up. */
import { AppError } from '../../lib/errors.ts';
import type { FileTree, TreeFile } from '../fileTree.ts';

export interface MemoryTree extends FileTree {
  /** Contents by path, as they are. */
  readonly files: Map<string, Uint8Array<ArrayBuffer>>;
  /** Bytes the disk holds; may be changed at any time. */
  quota: number;
}

export function memoryTree(quota = Infinity): MemoryTree {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  const held = new Set<string>();
  const usage = () => [...files.values()].reduce((sum, { length }) => sum + length, 0);
  const set = (path: string, content: Uint8Array<ArrayBuffer>) => {
    const grown = content.length - (files.get(path)?.length ?? 0);
    if (grown > 0 && usage() + grown > tree.quota) throw new DOMException('full', 'QuotaExceededError');
    files.set(path, content);
  };
  const tree: MemoryTree = {
    files,
    quota,
    open: (path) => {
      if (held.has(path)) throw new DOMException(`${path} is open`, 'NoModificationAllowedError');
      held.add(path);
      if (!files.has(path)) set(path, new Uint8Array());
      return Promise.resolve(openIn(files, set, path, () => held.delete(path)));
    },
    read: (path) => {
      const content = files.get(path);
      return Promise.resolve(content ? new File([content], path.split('/').at(-1)!) : null);
    },
    replace: async (path, content) => {
      await Promise.resolve();
      set(path, content.slice());
    },
    list: (folder) => Promise.resolve(namesIn(files, folder)),
    remove: (path) => {
      for (const each of files.keys()) if (each === path || each.startsWith(`${path}/`)) files.delete(each);
      return Promise.resolve();
    },
    exclusive: (name, job) => holding(held, name, job),
    space: () => Promise.resolve({ quota: tree.quota, usage: usage(), persistent: false }),
    persist: () => Promise.resolve(false),
  };
  return tree;
}

function namesIn(files: ReadonlyMap<string, unknown>, folder: string): string[] {
  const prefix = folder && `${folder}/`;
  const inside = [...files.keys()].filter((path) => path.startsWith(prefix));
  return [...new Set(inside.map((path) => path.slice(prefix.length).split('/')[0]!))];
}

async function holding<T>(held: Set<string>, name: string, job: () => Promise<T>): Promise<T> {
  if (held.has(name)) throw new AppError('model.busy', `${name} is in use.`);
  held.add(name);
  try {
    return await job();
  } finally {
    held.delete(name);
  }
}

function openIn(
  files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  set: (path: string, content: Uint8Array<ArrayBuffer>) => void,
  path: string,
  close: () => void,
): TreeFile {
  const content = () => files.get(path)!;
  const resized = (size: number) => {
    const grown = new Uint8Array(size);
    grown.set(content().subarray(0, size));
    return grown;
  };
  return {
    get size() {
      return content().length;
    },
    read: (into, at) => {
      const found = content().subarray(at, at + into.length);
      into.set(found);
      return found.length;
    },
    write: (bytes, at) => {
      const grown = resized(Math.max(content().length, at + bytes.length));
      grown.set(bytes, at);
      set(path, grown);
    },
    truncate: (size) => {
      set(path, resized(size));
    },
    flush: () => undefined,
    close,
  };
}
