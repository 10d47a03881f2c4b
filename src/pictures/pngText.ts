/** The texts that a PNG carries beside its pixels: `tEXt` chunks of a keyword and Latin-1. Source: PNG (W3C, 3rd edition, 11.3.3). */
import { chunksOf, latin1 } from './pngChunk.ts';

/** Keyword of a textual inversion in a picture, as AUTOMATIC1111's web UI writes it. */
export const CARD_KEYWORD = 'sd-ti-embedding';

/** The text under a keyword, null where there is none. */
export function readPngText(png: Uint8Array, keyword: string): string | null {
  for (const { type, body } of chunksOf(png))
    if (type === 'tEXt' && latin1(body.subarray(0, keyword.length + 1)) === `${keyword}\0`)
      return latin1(body.subarray(keyword.length + 1));
  return null;
}
