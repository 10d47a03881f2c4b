/**
 * A small key-value store in the browser's IndexedDB (one database each, as idb-keyval asks), and the same in
 * memory for where IndexedDB is denied. Failures come out as `storage.full` or `storage.blocked`.
 */
import { clear, createStore, del, entries, get, promisifyRequest, update } from 'idb-keyval';
import { AppError } from '../lib/errors.ts';

export interface KeyValue {
  entries(): Promise<[string, unknown][]>;
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  /** Sets it where there is none; gives what is there then. */
  setFirst(key: string, value: unknown): Promise<unknown>;
  delete(key: string): Promise<void>;
  clear(): Promise<void>;
}

/** Gives a failed IndexedDB request a stable code and a way out. */
export function storageError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const name = error instanceof Error ? error.name : '';
  const detail = error instanceof Error ? error.message || name : String(error);
  if (name === 'QuotaExceededError')
    return new AppError(
      'storage.full',
      'This did not fit into the space the browser gives this page. Remove results or concepts under Storage, or export what you want to keep, then save again.',
      { cause: error },
    );
  return new AppError(
    'storage.blocked',
    `The browser does not let this page store anything (${detail}). You can go on, but export what you want to keep before closing the tab.`,
    { cause: error },
  );
}

async function guarded<Value>(run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    throw storageError(error);
  }
}

/** A database of its own in IndexedDB. Opens at the first request, which may fail with `storage.blocked`. */
export function indexedDbKeyValue(database: string): KeyValue {
  let opened: ReturnType<typeof createStore> | null = null;
  const store = () => (opened ??= createStore(database, 'records'));
  return {
    entries: () => guarded(async () => entries<string, unknown>(store())),
    get: (key) => guarded(async () => get<unknown>(key, store())),
    // Committed without waiting for an answer: a page that is just closing still keeps it.
    set: (key, value) =>
      guarded(() =>
        store()('readwrite', (records) => {
          records.put(value, key);
          records.transaction.commit();
          return promisifyRequest(records.transaction);
        }),
      ),
    setFirst: (key, value) =>
      guarded(async () => {
        let kept: unknown;
        await update<unknown>(key, (found) => (kept = found ?? value), store());
        return kept;
      }),
    delete: (key) => guarded(async () => del(key, store())),
    clear: () => guarded(async () => clear(store())),
  };
}

/** The same in memory: gone with the tab. */
export function memoryKeyValue(): KeyValue {
  const values = new Map<string, unknown>();
  return {
    entries: () => Promise.resolve([...values]),
    get: (key) => Promise.resolve(values.get(key)),
    set: (key, value) => Promise.resolve(void values.set(key, value)),
    setFirst: (key, value) => {
      if (!values.has(key)) values.set(key, value);
      return Promise.resolve(values.get(key));
    },
    delete: (key) => Promise.resolve(void values.delete(key)),
    clear: () => Promise.resolve(values.clear()),
  };
}
