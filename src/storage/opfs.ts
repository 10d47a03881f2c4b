/** Files in the browser's origin-private file system, under one folder of it. */
import { AppError } from '../lib/errors.ts';
import type { FileTree, TreeFile, Space } from './fileTree.ts';

/** How long to wait for another tab, in milliseconds: a page that reloads takes a moment to let go. */
const PATIENCE = 3000;

const inWorker = typeof document === 'undefined';

/** What workers may do with a file, which the types of pages leave out. */
interface SyncAccess {
  getSize(): number;
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}
declare global {
  interface FileSystemFileHandle {
    createSyncAccessHandle(): Promise<SyncAccess>;
  }
}

/** The model files of this page. Throws `storage.blocked` at the first use where the browser has no such file system. */
export function opfsTree(root = 'models'): FileTree {
  const folder = async (path: readonly string[], create: boolean): Promise<FileSystemDirectoryHandle> => {
    let at = await rootFolder();
    for (const name of [root, ...path]) at = await at.getDirectoryHandle(name, { create });
    return at;
  };
  const file = async (path: string, create: boolean): Promise<FileSystemFileHandle> => {
    const [name, parents] = split(path);
    return (await folder(parents, create)).getFileHandle(name, { create });
  };
  return {
    open: async (path) => openSync(await file(path, true)),
    read: (path) => unlessAbsent(null, async () => (await file(path, false)).getFile()),
    replace: async (path, content) => {
      const stream = await (await file(path, true)).createWritable();
      await stream.write(content);
      await stream.close();
    },
    list: (path) =>
      unlessAbsent([], async () => {
        const names: string[] = [];
        for await (const name of (await folder(path ? path.split('/') : [], false)).keys()) names.push(name);
        return names;
      }),
    remove: (path) =>
      unlessAbsent(undefined, async () => {
        const [name, parents] = split(path);
        await (await folder(parents, false)).removeEntry(name, { recursive: true });
      }),
    exclusive,
    space,
    // Only pages may ask.
    persist: () => (inWorker ? navigator.storage.persisted() : navigator.storage.persist()),
  };
}

async function rootFolder(): Promise<FileSystemDirectoryHandle> {
  try {
    return await navigator.storage.getDirectory();
  } catch (error) {
    throw new AppError(
      'storage.blocked',
      'Expected room for model files in this browser, found none: it has no private file system, or a private window forbids it. Use a normal window of a current Chrome, Edge, Firefox or Safari.',
      { cause: error },
    );
  }
}

function split(path: string): [name: string, parents: readonly string[]] {
  const names = path.split('/');
  return [names.at(-1)!, names.slice(0, -1)];
}

async function unlessAbsent<T>(absent: T, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return absent;
    throw error;
  }
}

async function openSync(handle: FileSystemFileHandle): Promise<TreeFile> {
  const access = await handle.createSyncAccessHandle();
  return {
    get size() {
      return access.getSize();
    },
    read: (into, at) => access.read(into, { at }),
    write: (bytes, at) => {
      const written = access.write(bytes, { at });
      if (written < bytes.length)
        throw new DOMException(`${written} of ${bytes.length} bytes fit`, 'QuotaExceededError');
    },
    truncate: (size) => {
      access.truncate(size);
    },
    flush: () => {
      access.flush();
    },
    close: () => {
      access.close();
    },
  };
}

async function exclusive<T>(name: string, job: () => Promise<T>): Promise<T> {
  // Where the page may keep nothing there are no locks either, and this says so.
  await rootFolder();
  let held = false;
  const granted = (): Promise<T> => {
    held = true;
    return job();
  };
  const waiting = { signal: AbortSignal.timeout(PATIENCE) };
  return navigator.locks.request(`model ${name}`, waiting, granted).catch((error: unknown) => {
    if (held) throw error;
    throw new AppError(
      'model.busy',
      'This model is being fetched or removed in another tab. Wait until it is done there, or close that tab.',
      { cause: error },
    );
  });
}

async function space(): Promise<Space> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  return { quota, usage, persistent: await navigator.storage.persisted() };
}
