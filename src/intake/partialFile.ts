/** A file that grows on the disk while its hashes are kept up: what is written is what is verified. */
import { sha1 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { AppError } from '../lib/errors.ts';
import type { TreeFile } from '../storage/fileTree.ts';
import type { PlannedFile } from './plan.ts';

const PIECE_BYTES = 4 * 2 ** 20;

export class PartialFile {
  private length = 0;
  private sha = sha256.create();
  private blob: ReturnType<typeof gitHash>;

  constructor(
    private readonly handle: TreeFile,
    private readonly file: PlannedFile,
  ) {
    this.blob = gitHash(file);
  }

  /** Bytes written and hashed. */
  get bytes(): number {
    return this.length;
  }

  /** Takes what an earlier try left, reading it to hash it. `onPiece` runs between pieces and may throw. */
  async adopt(onPiece: () => void | Promise<void>): Promise<void> {
    const kept = Math.min(this.handle.size, this.file.bytes);
    const piece = new Uint8Array(Math.min(PIECE_BYTES, kept));
    while (this.length < kept) {
      const found = this.handle.read(piece.subarray(0, kept - this.length), this.length);
      if (found === 0) break;
      this.take(piece.subarray(0, found));
      await onPiece();
    }
    this.handle.truncate(this.length);
  }

  /** Throws `download.size` when there is more than the plan says, and what a full disk throws. */
  append(piece: Uint8Array<ArrayBuffer>): void {
    const { path, bytes } = this.file;
    if (this.length + piece.length > bytes)
      throw new AppError(
        'download.size',
        `Expected ${bytes} bytes of ${path}, found more. It has changed since it was looked at: look again.`,
      );
    this.write(piece);
    this.take(piece);
  }

  restart(): void {
    this.handle.truncate(0);
    this.length = 0;
    this.sha = sha256.create();
    this.blob = gitHash(this.file);
  }

  /** The SHA-256 of the whole. Throws `download.corrupt` unless the content is what the plan promises. */
  verify(): string {
    this.handle.flush();
    const found = bytesToHex(this.sha.digest());
    const { path, sha256: promised, gitBlob } = this.file;
    const isBlob = !this.blob || bytesToHex(this.blob.digest()) === gitBlob;
    if ((promised === null || promised === found) && isBlob) return found;
    throw new AppError(
      'download.corrupt',
      `${path} arrived damaged: expected ${promised ? `SHA-256 ${promised}` : `git blob ${gitBlob}`}, found SHA-256 ${found}. It was thrown away; try again to get it afresh.`,
    );
  }

  private write(piece: Uint8Array<ArrayBuffer>): void {
    try {
      this.handle.write(piece, this.length);
    } catch (error) {
      // Part of the piece may have been written: only what is hashed may stay.
      this.handle.truncate(this.length);
      throw error;
    }
  }

  private take(piece: Uint8Array): void {
    this.sha.update(piece);
    this.blob?.update(piece);
    this.length += piece.length;
  }
}

/** Git hashes a header before the content. */
function gitHash({ gitBlob, bytes }: PlannedFile) {
  return gitBlob === null ? null : sha1.create().update(utf8ToBytes(`blob ${bytes}\0`));
}
