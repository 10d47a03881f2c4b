/**
 * A large file elsewhere, of which only the start is read: a checkpoint's header tells what it is and how much memory it takes
 * before the rest of it is fetched.
 */
import { fetchStart, type RequestOptions } from './request.ts';

/** What stands for numbers that were not read: as floats none is a zero or a one, which a compiler might leave out. */
const UNREAD = 0x3d;
/** Enough for the header of most checkpoints. */
const FIRST_BYTES = 1 << 18;
const LARGEST_HEADER = 8 << 20;
/** The header's own length stands before it. */
const LENGTH_BYTES = 8;

/** Of the whole file's size; beyond its head it has numbers that mean nothing. */
export class Outline extends Blob {
  constructor(
    private readonly head: Uint8Array,
    private readonly whole: number,
    /** Whether its server calls it a page. */
    readonly isPage = false,
  ) {
    super();
  }

  override get size(): number {
    return this.whole;
  }

  override slice(start = 0, end = this.whole): Blob {
    const bytes = new Uint8Array(Math.max(0, Math.min(end, this.whole) - start)).fill(UNREAD);
    bytes.set(this.head.subarray(start, end));
    return new Blob([bytes]);
  }
}

/** The outline of what lies at `url`; null when nothing does. Throws what `fetchStart` throws. */
export async function fetchOutline(url: string, options: RequestOptions): Promise<Outline | null> {
  const first = await fetchStart(url, FIRST_BYTES, options);
  if (!first) return null;
  const { head, bytes, isPage } = first;
  const needed = head.length < LENGTH_BYTES ? 0 : LENGTH_BYTES + lengthOf(head);
  const isCut = needed > head.length && needed <= Math.min(bytes, LARGEST_HEADER);
  const more = isCut ? await fetchStart(url, needed, options) : null;
  return new Outline((more ?? first).head, bytes, isPage);
}

function lengthOf(head: Uint8Array<ArrayBuffer>): number {
  return Number(new DataView(head.buffer).getBigUint64(0, true));
}
