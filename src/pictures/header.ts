/**
 * Reads a picture file's format, size and whether it moves, before anything is decoded: a few kilobytes of PNG can claim
 * gigapixels. Sources: PNG (W3C, 3rd edition, acTL chunk), JPEG (ITU-T T.81, B.2.2), GIF89a, WebP container (RFC 9649), HEIF and
 * AVIF (ISO/IEC 23008-12, ispe property), BMP (BITMAPINFOHEADER).
 */
import { fileKind } from '../lib/fileKind.ts';

export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'gif' | 'webp' | 'avif' | 'heic' | 'bmp';
  readonly width: number;
  readonly height: number;
  readonly animated: boolean;
}

type Reader = (bytes: Uint8Array, view: DataView) => ImageHeader | null;

const ascii = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));

function pngAnimated(bytes: Uint8Array, view: DataView): boolean {
  for (let at = 8; at + 8 <= bytes.length; at += 12 + view.getUint32(at)) {
    const type = ascii(bytes, at + 4, 4);
    if (type === 'acTL') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

function readPng(bytes: Uint8Array, view: DataView): ImageHeader | null {
  if (bytes.length < 24 || ascii(bytes, 1, 3) !== 'PNG' || ascii(bytes, 12, 4) !== 'IHDR') return null;
  const size = { width: view.getUint32(16), height: view.getUint32(20) };
  return { format: 'png', ...size, animated: pngAnimated(bytes, view) };
}

/** Start-of-frame markers are C0 to CF without DHT (C4), JPG (C8) and DAC (CC). */
const isFrame = (marker: number) => (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker);

function readJpeg(bytes: Uint8Array, view: DataView): ImageHeader | null {
  if (bytes.length < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) return null;
    const marker = bytes[at + 1]!;
    if (isFrame(marker))
      return {
        format: 'jpeg',
        height: view.getUint16(at + 5),
        width: view.getUint16(at + 7),
        animated: false,
      };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

/** Length of a GIF colour table whose flags byte is given. */
const colourTable = (flags: number) => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1));

function skipSubBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
  return at + 1;
}

function countGifFrames(bytes: Uint8Array): number {
  let frames = 0;
  for (let at = 13 + colourTable(bytes[10]!); at < bytes.length && frames < 2;) {
    if (bytes[at] === 0x21) at = skipSubBlocks(bytes, at + 2);
    else if (bytes[at] === 0x2c) {
      frames += 1;
      at = skipSubBlocks(bytes, at + 11 + colourTable(bytes[at + 9] ?? 0));
    } else break;
  }
  return frames;
}

function readGif(bytes: Uint8Array, view: DataView): ImageHeader | null {
  if (bytes.length < 13 || ascii(bytes, 0, 4) !== 'GIF8') return null;
  const size = { width: view.getUint16(6, true), height: view.getUint16(8, true) };
  return { format: 'gif', ...size, animated: countGifFrames(bytes) > 1 };
}

const uint24 = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);

function readWebp(bytes: Uint8Array, view: DataView): ImageHeader | null {
  if (bytes.length < 30 || ascii(bytes, 0, 4) !== 'RIFF' || ascii(bytes, 8, 4) !== 'WEBP') return null;
  const chunk = ascii(bytes, 12, 4);
  if (chunk === 'VP8X')
    return {
      format: 'webp',
      width: 1 + uint24(bytes, 24),
      height: 1 + uint24(bytes, 27),
      animated: (bytes[20]! & 2) !== 0,
    };
  if (chunk === 'VP8L') {
    const packed = view.getUint32(21, true);
    return {
      format: 'webp',
      width: 1 + (packed & 0x3fff),
      height: 1 + ((packed >>> 14) & 0x3fff),
      animated: false,
    };
  }
  const size = { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  return chunk === 'VP8 ' ? { format: 'webp', ...size, animated: false } : null;
}

/** Properties stand near the start; a picture of tiles has one for the whole and one for a tile. */
const PROPERTIES_WITHIN = 1 << 16;

/** The largest extent that the file's properties name. */
function readHeif(bytes: Uint8Array, view: DataView): ImageHeader | null {
  const kind = fileKind(bytes);
  if (kind !== 'avif' && kind !== 'heic') return null;
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, PROPERTIES_WITHIN));
  const sizes = [...text.matchAll(/ispe/g)]
    .filter(({ index }) => index + 16 <= bytes.length)
    .map(({ index }) => [view.getUint32(index + 8), view.getUint32(index + 12)] as const);
  if (sizes.length === 0) return null;
  const [width, height] = sizes.reduce((a, b) => (a[0] * a[1] >= b[0] * b[1] ? a : b));
  return { format: kind, width, height, animated: text.slice(8, 32).includes('avis') };
}

function readBmp(bytes: Uint8Array, view: DataView): ImageHeader | null {
  if (bytes.length < 26 || ascii(bytes, 0, 2) !== 'BM') return null;
  const size = { width: Math.abs(view.getInt32(18, true)), height: Math.abs(view.getInt32(22, true)) };
  return { format: 'bmp', ...size, animated: false };
}

const readers: readonly Reader[] = [readPng, readJpeg, readGif, readWebp, readHeif, readBmp];

/** The header of a picture file, or null for anything else. */
export function readImageHeader(bytes: Uint8Array): ImageHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const read of readers) {
    const header = read(bytes, view);
    if (header !== null) return header;
  }
  return null;
}
