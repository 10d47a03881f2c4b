/**
 * How a camera held the picture: the orientation, 1 to 8, that EXIF and TIFF state in tag 274 (TIFF 6.0). Browsers turn JPEG and AVIF by it
 * and differ on WebP and PNG, so that those are turned here, where every browser does the same. Sources: WebP (RFC 9649, EXIF chunk), PNG
 * (3rd edition, eXIf chunk).
 */
import type { FileKind } from '../lib/fileKind.ts';

export const UPRIGHT = 1;
const ORIENTATION = 274;
const ENTRY_BYTES = 12;
/** Where an entry's value stands in it. */
const VALUE = 8;

export interface Oriented {
  readonly orientation: number;
  /** The file marked as upright, for decoders that would turn it as well or refuse it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The orientation of a TIFF, WebP or PNG file, `UPRIGHT` for any other and where none is stated. */
export function orientationOf(bytes: Uint8Array<ArrayBuffer>, kind: FileKind): Oriented {
  const upright = { orientation: UPRIGHT, bytes };
  const start = blockOf(bytes, kind);
  const place = start === null ? null : findTag(bytes, start);
  if (place === null) return upright;
  const orientation = new DataView(bytes.buffer, bytes.byteOffset).getUint16(place.at, place.isLittle);
  if (orientation < 2 || orientation > 8) return upright;
  const marked = new Uint8Array(bytes);
  new DataView(marked.buffer).setUint16(place.at, UPRIGHT, place.isLittle);
  return { orientation, bytes: marked };
}

/** Where the TIFF block begins that states the orientation. */
function blockOf(bytes: Uint8Array, kind: FileKind): number | null {
  if (kind === 'tiff') return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (kind === 'webp') return chunkAt(bytes, 'EXIF', 12, (at) => [at, at + 8, view.getUint32(at + 4, true)]);
  if (kind === 'png') return chunkAt(bytes, 'eXIf', 8, (at) => [at + 4, at + 8, view.getUint32(at) + 4]);
  return null;
}

/** @param read where a chunk's type and its body stand, and how long the body is with what follows it */
function chunkAt(
  bytes: Uint8Array,
  type: string,
  first: number,
  read: (at: number) => readonly [number, number, number],
): number | null {
  for (let at = first; at + 8 <= bytes.length;) {
    const [name, body, length] = read(at);
    if (String.fromCharCode(...bytes.subarray(name, name + 4)) === type) return body;
    // Chunks of WebP are padded to an even length; those of PNG are followed by four bytes of checksum.
    at = body + length + (type === 'EXIF' ? length % 2 : 0);
  }
  return null;
}

/** The orientation's value in the first directory of a TIFF block. */
function findTag(bytes: Uint8Array, start: number): { at: number; isLittle: boolean } | null {
  if (start + 8 > bytes.length) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isLittle = bytes[start] === 0x49;
  const directory = start + view.getUint32(start + 4, isLittle);
  if (directory + 2 > bytes.length) return null;
  const count = view.getUint16(directory, isLittle);
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + i * ENTRY_BYTES;
    if (entry + ENTRY_BYTES > bytes.length) return null;
    if (view.getUint16(entry, isLittle) === ORIENTATION) return { at: entry + VALUE, isLittle };
  }
  return null;
}

type Matrix = readonly [number, number, number, number, number, number];

/** What brings a stored picture of this width and height upright, for a canvas; sides are exchanged from 5 on. */
export function turnOf(orientation: number, width: number, height: number): Matrix {
  const turns: readonly Matrix[] = [
    [1, 0, 0, 1, 0, 0],
    [-1, 0, 0, 1, width, 0],
    [-1, 0, 0, -1, width, height],
    [1, 0, 0, -1, 0, height],
    [0, 1, 1, 0, 0, 0],
    [0, 1, -1, 0, height, 0],
    [0, -1, -1, 0, height, width],
    [0, -1, 1, 0, 0, width],
  ];
  return turns[orientation - 1]!;
}
