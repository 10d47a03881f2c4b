/**
 * Pixels as PNG files that carry how they were made in a text chunk named `parameters`, as AUTOMATIC1111's web UI
 * does: `tEXt` while the text is Latin-1, `iTXt` (UTF-8) otherwise. Source: PNG (W3C, 3rd edition, 11.3.3).
 */
import { encode } from 'fast-png';
import type { Pixels } from './pixels.ts';

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(body, 8);
  view.setUint32(8 + body.length, crc32(bytes.subarray(4, 8 + body.length)));
  return bytes;
}

function textChunk(keyword: string, text: string): Uint8Array<ArrayBuffer> {
  const latin1 = [...text].every((letter) => letter.codePointAt(0)! < 256);
  if (latin1)
    return chunk(
      'tEXt',
      Uint8Array.from(`${keyword}\0${text}`, (letter) => letter.charCodeAt(0)),
    );
  // Keyword, no compression, no language tag, no translated keyword.
  return chunk('iTXt', new TextEncoder().encode(`${keyword}\0\0\0\0\0${text}`));
}

/** Length of the PNG signature and the IHDR chunk, after which text may stand. */
const AFTER_HEADER = 8 + 25;

/** Encodes a picture as PNG; `parameters`, when given, goes into its text chunk. */
export function encodePng(picture: Pixels, parameters?: string): Blob {
  const { width, height, data } = picture;
  const png = encode({ width, height, data, channels: 4, depth: 8 });
  const bytes = new Uint8Array(png);
  const text = parameters === undefined ? [] : [textChunk('parameters', parameters)];
  return new Blob([bytes.slice(0, AFTER_HEADER), ...text, bytes.slice(AFTER_HEADER)], { type: 'image/png' });
}
