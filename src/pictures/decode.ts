/**
 * From a file that a person chose to what is kept of it, and from there to the square of pixels the model learns
 * from. Checks first what the header claims, so that nothing huge is decoded. Browsers turn pictures upright by
 * their EXIF orientation and bring CMYK and 16-bit files to 8-bit RGB; animations give their first frame.
 */
import { AppError } from '../lib/errors.ts';
import { readImageHeader } from './header.ts';
import type { Crop, Pixels } from './pixels.ts';

/** What is kept of a chosen file: a PNG of at most `MAX_SIDE` pixels a side, transparency included. */
export interface DecodedPicture {
  readonly source: Blob;
  readonly width: number;
  readonly height: number;
  readonly transparent: boolean;
  readonly animated: boolean;
}

export interface ImageTools {
  /** Throws `picture.empty`, `picture.format`, `picture.large` or `picture.damaged`, naming the file. */
  decode(file: File): Promise<DecodedPicture>;
  /** The crop (the centred square where null) on a ground of the given CSS colour. */
  square(source: Blob, crop: Crop | null, ground: string): Promise<Pixels>;
}

const MAX_PIXELS = 40e6;
const MAX_BYTES = 200e6;
/** Far more than the model sees, small enough to keep twenty of them. */
const MAX_SIDE = 768;

const megapixels = (width: number, height: number) => `${((width * height) / 1e6).toFixed(0)} megapixels`;

function requireModestSize(name: string, width: number, height: number): void {
  if (width * height > MAX_PIXELS)
    throw new AppError(
      'picture.large',
      `“${name}” has ${megapixels(width, height)}; at most 40 are taken. Make it smaller and add it again.`,
    );
}

/** Throws for files that are empty, no picture, or too large to decode; tells whether it moves. */
async function checkFile(file: File): Promise<{ animated: boolean }> {
  if (file.size === 0)
    throw new AppError('picture.empty', `“${file.name}” is empty (0 bytes). Choose another copy of it.`);
  if (file.size > MAX_BYTES)
    throw new AppError(
      'picture.large',
      `“${file.name}” is larger than 200 MB. Make it smaller and add it again.`,
    );
  const header = readImageHeader(new Uint8Array(await file.arrayBuffer()));
  if (header === null && !/^image\/(?!svg)/.test(file.type))
    throw new AppError(
      'picture.format',
      `“${file.name}” is not a picture this page can read. Use PNG, JPEG, WebP, GIF or AVIF.`,
    );
  if (header !== null) requireModestSize(file.name, header.width, header.height);
  return { animated: header?.animated ?? false };
}

async function decodeBitmap(file: File): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(file, { imageOrientation: 'from-image' });
  } catch (error) {
    throw new AppError(
      'picture.damaged',
      `“${file.name}” could not be decoded: it is damaged or cut short. Save it again as PNG or JPEG.`,
      { cause: error },
    );
  }
}

function canvasContext(width: number, height: number): OffscreenCanvasRenderingContext2D {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
  if (context === null)
    throw new AppError(
      'picture.canvas',
      'The browser gives no canvas to read pictures with. Reload the page.',
    );
  context.imageSmoothingQuality = 'high';
  return context;
}

const hasAlpha = ({ data }: ImageData) => {
  for (let at = 3; at < data.length; at += 4) if (data[at]! < 255) return true;
  return false;
};

async function decode(file: File): Promise<DecodedPicture> {
  const { animated } = await checkFile(file);
  const bitmap = await decodeBitmap(file);
  try {
    requireModestSize(file.name, bitmap.width, bitmap.height);
    const scale = Math.min(1, MAX_SIDE / Math.max(bitmap.width, bitmap.height));
    const width = Math.max(1, Math.round(bitmap.width * scale));
    const height = Math.max(1, Math.round(bitmap.height * scale));
    const context = canvasContext(width, height);
    context.drawImage(bitmap, 0, 0, width, height);
    const transparent = hasAlpha(context.getImageData(0, 0, width, height));
    const source = await context.canvas.convertToBlob({ type: 'image/png' });
    return { source, width, height, transparent, animated };
  } finally {
    bitmap.close();
  }
}

/** The centred square of a picture. */
function centredSquare(width: number, height: number): Crop {
  const side = Math.min(width, height);
  return { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side };
}

/** The latest square of each picture, as long as the picture is kept: shown, seen through the model, and learned from. */
const squares = new WeakMap<Blob, { readonly key: string; readonly made: Promise<Pixels> }>();

function square(source: Blob, crop: Crop | null, ground: string): Promise<Pixels> {
  const key = JSON.stringify([crop, ground]);
  const known = squares.get(source);
  if (known?.key === key) return known.made;
  const made = cutSquare(source, crop, ground);
  squares.set(source, { key, made });
  return made;
}

async function cutSquare(source: Blob, crop: Crop | null, ground: string): Promise<Pixels> {
  const bitmap = await createImageBitmap(source);
  try {
    const { x, y, width, height } = crop ?? centredSquare(bitmap.width, bitmap.height);
    const context = canvasContext(width, height);
    context.fillStyle = ground;
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, -x, -y);
    return { width, height, data: new Uint8ClampedArray(context.getImageData(0, 0, width, height).data) };
  } finally {
    bitmap.close();
  }
}

export const browserImages: ImageTools = { decode, square };
