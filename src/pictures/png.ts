/**
 * Pixels as PNG files that carry how they were made in a text chunk named `parameters`, as AUTOMATIC1111's web UI
 * does: `tEXt` while the text is Latin-1, `iTXt` (UTF-8) otherwise. Source: PNG (W3C, 3rd edition, 11.3.3).
 */
import { encode } from 'fast-png';
import { writeChunk } from './pngChunk.ts';
import type { Pixels } from './pixels.ts';

function textChunk(keyword: string, text: string): Uint8Array<ArrayBuffer> {
  const latin1 = [...text].every((letter) => letter.codePointAt(0)! < 256);
  if (latin1)
    return writeChunk(
      'tEXt',
      Uint8Array.from(`${keyword}\0${text}`, (letter) => letter.charCodeAt(0)),
    );
  // Keyword, no compression, no language tag, no translated keyword.
  return writeChunk('iTXt', new TextEncoder().encode(`${keyword}\0\0\0\0\0${text}`));
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
