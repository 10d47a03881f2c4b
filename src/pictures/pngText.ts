/** The texts that a PNG carries beside its pixels: `tEXt` chunks of a keyword and Latin-1. Source: PNG (W3C, 3rd edition, 11.3.3). */

/** Keyword of a textual inversion in a picture, as AUTOMATIC1111's web UI writes it. */
export const CARD_KEYWORD = 'sd-ti-embedding';

const SIGNATURE_BYTES = 8;
/** Length, type and checksum. */
const AROUND = 12;

/** The text under a keyword, null where there is none. */
export function readPngText(png: Uint8Array, keyword: string): string | null {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let at = SIGNATURE_BYTES; at + AROUND <= png.length; at += AROUND + view.getUint32(at)) {
    const body = png.subarray(at + 8, at + 8 + view.getUint32(at));
    if (latin1(png.subarray(at + 4, at + 8)) !== 'tEXt') continue;
    if (latin1(body.subarray(0, keyword.length + 1)) === `${keyword}\0`)
      return latin1(body.subarray(keyword.length + 1));
  }
  return null;
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder('latin1').decode(bytes);
}
