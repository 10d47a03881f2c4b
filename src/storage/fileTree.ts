/**
 * The few file operations that keeping models needs. The browser's origin-private file system implements them (opfs.ts);
 * so does memory, for tests. Paths are relative, with forward slashes; folders come and go with their files.
 */

/** A file open for writing, by one writer at a time. All positions are bytes from its start. */
export interface TreeFile {
  readonly size: number;
  /** Fills `into` from `at` on; returns how many bytes there were. */
  read(into: Uint8Array<ArrayBuffer>, at: number): number;
  /** Throws a DOMException `QuotaExceededError` when the disk or the page's share of it is full. */
  write(bytes: Uint8Array<ArrayBuffer>, at: number): void;
  truncate(size: number): void;
  flush(): void;
  close(): void;
}

/** What the browser grants this page and what all of it takes, in bytes. */
export interface Space {
  readonly quota: number;
  readonly usage: number;
  /** Whether the browser keeps it even when the disk is short. */
  readonly persistent: boolean;
}

/** Whether a write failed for want of room. */
export function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError';
}

export interface FileTree {
  /** Opens a file for writing; makes it and its folders when absent. Only workers may. */
  open(path: string): Promise<TreeFile>;
  /** The file's content as it is now, or null when absent. */
  read(path: string): Promise<File | null>;
  /** Writes a whole file at once: whatever happens, the old or the new content is there afterwards. */
  replace(path: string, content: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Names in a folder; none when absent. */
  list(folder: string): Promise<readonly string[]>;
  /** Removes a file or a folder with everything in it; nothing when absent. */
  remove(path: string): Promise<void>;
  /** Runs a job while no other tab holds the same name. Throws `model.busy` when one does for longer than a moment. */
  exclusive<T>(name: string, job: () => Promise<T>): Promise<T>;
  space(): Promise<Space>;
  /** Asks the browser not to clear what is kept when the disk is short; whether it will. In a worker it only tells. */
  persist(): Promise<boolean>;
}
