/**
 * From a file that a person chose to what is kept of it, and from there to the square of pixels the model learns
 * from. Checks first what the file is and claims, so that nothing huge is decoded. Browsers turn pictures upright by
 * their EXIF orientation and bring CMYK, wide colours and 16 bits to 8-bit sRGB; animations give their first frame.
 */
import { AppError } from '../lib/errors.ts';
import type { FileKind } from '../lib/fileKind.ts';
import { plainName } from '../lib/plainName.ts';
import { canvasContext } from './canvas.ts';
import { drawCard, type CardWords } from './card.ts';
import { checkPicture, MAX_PICTURE_BYTES, refused, requireModestSize } from './check.ts';
import { orientationOf, turnOf, UPRIGHT } from './orientation.ts';
import type { Crop, Pixels } from './pixels.ts';

/** What is kept of a chosen file: all of its pixels, so that a crop has them; its width and height are of the upright picture. */
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
  /** The crop (the centred square where null) on a ground of the given CSS colour, at most `MAX_SIDE` pixels a side. */
  square(source: Blob, crop: Crop | null, ground: string): Promise<Pixels>;
  /** A picture with words under it. */
  card(picture: Blob, words: CardWords): Promise<Pixels>;
}

/** Far more than the model sees, small enough to keep twenty of them. */
const MAX_SIDE = 768;

/** Formats that some browser opens, and every one that does is asked first. */
const NATIVE: Readonly<Partial<Record<FileKind, string>>> = {
  png: 'image/png',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  ico: 'image/x-icon',
  heic: 'image/heic',
  jxl: 'image/jxl',
};

/** Of these a failure means damage: every browser that the studio runs in opens whole ones. */
const OPENED_BY_ALL: readonly FileKind[] = ['png', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'ico'];

async function decodeBitmap(source: Blob, kind: FileKind, fileName: string): Promise<ImageBitmap> {
  try {
    return await createImageBitmap(source, { imageOrientation: 'from-image' });
  } catch (error) {
    if (!OPENED_BY_ALL.includes(kind)) throw refused(kind, fileName);
    throw new AppError(
      'picture.damaged',
      `“${plainName(fileName)}” could not be decoded: it is damaged or cut short. Save it again as PNG or JPEG.`,
      { cause: error },
    );
  }
}

const hasAlpha = ({ data }: ImageData) => {
  for (let at = 3; at < data.length; at += 4) if (data[at]! < 255) return true;
  return false;
};

/** The picture as the browser gives it, and the file that the browser opens, in memory: the chosen one may be moved or change. */
async function open(
  bytes: Uint8Array<ArrayBuffer>,
  kind: FileKind,
  fileName: string,
): Promise<{ bitmap: ImageBitmap; source: Blob | null }> {
  if (kind === 'tiff') {
    const { readTiff } = await import('./tiff.ts');
    const { width, height, data } = readTiff(bytes, plainName(fileName));
    return { bitmap: await createImageBitmap(new ImageData(data, width, height)), source: null };
  }
  const type = NATIVE[kind];
  if (type === undefined) throw refused(kind, fileName);
  const source = new Blob([bytes], { type });
  return { bitmap: await decodeBitmap(source, kind, fileName), source };
}

async function decode(file: File): Promise<DecodedPicture> {
  if (file.size > MAX_PICTURE_BYTES)
    throw new AppError(
      'picture.large',
      `“${plainName(file.name)}” is larger than 200 MB. Make it smaller and add it again.`,
    );
  const given = new Uint8Array(await file.arrayBuffer());
  const { kind, animated } = checkPicture(given, file.name);
  const { orientation, bytes } = orientationOf(given, kind);
  const { bitmap, source } = await open(bytes, kind, file.name);
  try {
    requireModestSize(file.name, bitmap.width, bitmap.height);
    const small = drawn(bitmap, { x: 0, y: 0, width: bitmap.width, height: bitmap.height }, null);
    const transparent = hasAlpha(small.getImageData(0, 0, small.canvas.width, small.canvas.height));
    const sides = [bitmap.width, bitmap.height] as const;
    const [width, height] = orientation >= 5 ? sides.toReversed() : sides;
    const asItIs = source !== null && !animated && orientation === UPRIGHT;
    const kept = asItIs ? source : await redrawn(bitmap, orientation);
    // Opaque, it has the same square on any ground: it need not be decoded again for it.
    if (asItIs && !transparent)
      squares.set(kept, { key: keyOf(null, null), made: Promise.resolve(cut(bitmap, null, null)) });
    return { source: kept, width: width!, height: height!, transparent, animated };
  } finally {
    bitmap.close();
  }
}

/** The picture as a PNG that stands upright and still on the page too. */
function redrawn(bitmap: ImageBitmap, orientation: number): Promise<Blob> {
  const { width, height } = bitmap;
  const context = orientation >= 5 ? canvasContext(height, width) : canvasContext(width, height);
  context.setTransform(...turnOf(orientation, width, height));
  context.drawImage(bitmap, 0, 0);
  return context.canvas.convertToBlob({ type: 'image/png' });
}

/** A part of the picture, made smaller where it has more than `MAX_SIDE` pixels a side. */
function drawn(
  bitmap: ImageBitmap,
  { x, y, width, height }: Crop,
  ground: string | null,
): OffscreenCanvasRenderingContext2D {
  const scale = Math.min(1, MAX_SIDE / Math.max(width, height));
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const context = canvasContext(w, h);
  if (ground !== null) {
    context.fillStyle = ground;
    context.fillRect(0, 0, w, h);
  }
  context.drawImage(bitmap, x, y, width, height, 0, 0, w, h);
  return context;
}

/** The centred square of a picture. */
function centredSquare(width: number, height: number): Crop {
  const side = Math.min(width, height);
  return { x: (width - side) >> 1, y: (height - side) >> 1, width: side, height: side };
}

/** The latest square of each picture, as long as the picture is kept: shown, seen through the model, and learned from. */
const squares = new WeakMap<Blob, { readonly key: string; readonly made: Promise<Pixels> }>();

/** Of a square on one ground, or with null on any. */
const keyOf = (crop: Crop | null, ground: string | null) => JSON.stringify([crop, ground]);

function square(source: Blob, crop: Crop | null, ground: string): Promise<Pixels> {
  const key = keyOf(crop, ground);
  const known = squares.get(source);
  if (known?.key === key || known?.key === keyOf(crop, null)) return known.made;
  const made = cutSquare(source, crop, ground);
  squares.set(source, { key, made });
  return made;
}

function cut(bitmap: ImageBitmap, crop: Crop | null, ground: string | null): Pixels {
  const context = drawn(bitmap, crop ?? centredSquare(bitmap.width, bitmap.height), ground);
  const { width, height } = context.canvas;
  return { width, height, data: new Uint8ClampedArray(context.getImageData(0, 0, width, height).data) };
}

async function cutSquare(source: Blob, crop: Crop | null, ground: string): Promise<Pixels> {
  const bitmap = await createImageBitmap(source, { imageOrientation: 'from-image' });
  try {
    return cut(bitmap, crop, ground);
  } finally {
    bitmap.close();
  }
}

export const browserImages: ImageTools = { decode, square, card: drawCard };
