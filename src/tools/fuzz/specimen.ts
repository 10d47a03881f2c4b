/** What the fuzzer damages. */
import type { Random } from '../../lib/random.ts';
import type { Bytes } from './damage.ts';

/** A whole file and what reads it. */
export interface Specimen {
  readonly name: string;
  readonly bytes: Bytes;
  readonly damage: (original: Uint8Array, random: Random) => Bytes;
  /** Resolves for a file that can be read; what it throws must be an AppError. */
  readonly read: (damaged: Bytes) => Promise<unknown>;
}
