/** TIFF pictures, which no browser but Safari opens: their first page in 8 bits a channel, as stored. Loaded only when one is given. */
import { decode, type TiffIfd } from 'tiff';
import { AppError } from '../lib/errors.ts';
import type { Pixels } from './pixels.ts';
import { requireModestSize } from './check.ts';

const PALETTE = 3;

/** @param bytes marked as upright: the library refuses others. Throws `picture.large`, and `picture.format` for the kinds of TIFF that are not read, such as CMYK and JPEG inside. */
export function readTiff(bytes: Uint8Array, fileName: string): Pixels {
  try {
    const [head] = decode(bytes, { pages: [0], ignoreImageData: true });
    if (!head) throw new Error('it has no page');
    requireModestSize(fileName, head.width, head.height);
    const [page] = decode(bytes, { pages: [0] });
    return pixelsOf(page!);
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      'picture.format',
      `“${fileName}” is a TIFF of a kind that is not read here, or damaged (${reason}). Save it as PNG or JPEG and add that.`,
      { cause },
    );
  }
}

function pixelsOf(page: TiffIfd): Pixels {
  const { width, height, samplesPerPixel: samples, palette, data } = page;
  const scale = scaleOf(page);
  const colours = page.type === PALETTE || samples < 3 ? 1 : 3;
  if (data.length < width * height * samples) throw new Error('pixels are missing');
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let i = 0; i < width * height; i++) {
    const at = i * samples;
    const entry = palette?.[data[at]!];
    for (let channel = 0; channel < 3; channel++)
      pixels[4 * i + channel] = entry
        ? entry[channel]! >> 8
        : data[at + (colours === 3 ? channel : 0)]! * scale;
    if (page.alpha) pixels[4 * i + 3] = data[at + colours]! * scale;
  }
  return { width, height, data: pixels };
}

/** What brings a sample to 0…255. */
function scaleOf({ bitsPerSample: bits, data }: TiffIfd): number {
  if (data instanceof Float32Array || data instanceof Float64Array) return 255;
  return 255 / (2 ** bits - 1);
}
