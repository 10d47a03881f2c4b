/**
 * Whether a picture file goes on to its end: browsers draw what there is of one that was cut short, and grey below it. The ends: PNG's
 * IEND chunk, JPEG's EOI marker behind the last scan, WebP's RIFF length. Other formats are left to their decoders.
 */
import type { FileKind } from '../lib/fileKind.ts';

type Check = (bytes: Uint8Array, view: DataView) => boolean;

const PNG_SIGNATURE = 8;
/** A chunk's length, type and checksum. */
const PNG_AROUND = 12;

function wholePng(bytes: Uint8Array, view: DataView): boolean {
  let at = PNG_SIGNATURE;
  while (at + PNG_AROUND <= bytes.length) {
    const isEnd = view.getUint32(at + 4) === 0x49454e44; // IEND
    at += PNG_AROUND + view.getUint32(at);
    if (isEnd) return at <= bytes.length;
  }
  return false;
}

const EOI = 0xd9;
/** Markers without a length: stuffed zeros and fill bytes among the data, TEM, RST0 to SOI. */
const stands = (marker: number) =>
  marker === 0 || marker === 1 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd8);

function wholeJpeg(bytes: Uint8Array, view: DataView): boolean {
  let at = 2;
  while (at + 1 < bytes.length) {
    if (bytes[at] !== 0xff) {
      at = bytes.indexOf(0xff, at);
      if (at < 0) return false;
      continue;
    }
    const marker = bytes[at + 1]!;
    if (marker === EOI) return true;
    if (marker === 0xff) at += 1;
    else if (stands(marker)) at += 2;
    else if (at + 4 > bytes.length) return false;
    else at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  return false;
}

const wholeWebp: Check = (bytes, view) => bytes.length >= 8 && 8 + view.getUint32(4, true) <= bytes.length;

const checks: Readonly<Partial<Record<FileKind, Check>>> = {
  png: wholePng,
  jpeg: wholeJpeg,
  webp: wholeWebp,
};

export function isWhole(kind: FileKind, bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return checks[kind]?.(bytes, view) ?? true;
}
