/** Looks at a picture file before anything decodes it: its kind, whether it is small enough and whole, and whether it moves. */
import { AppError } from '../lib/errors.ts';
import { fileKind, isPictureKind, kindWords, type FileKind } from '../lib/fileKind.ts';
import { plainName } from '../lib/plainName.ts';
import { readImageHeader } from './header.ts';
import { isWhole } from './whole.ts';

const MAX_PIXELS = 40e6;
export const MAX_PICTURE_BYTES = 200e6;

export interface CheckedPicture {
  readonly kind: FileKind;
  readonly animated: boolean;
}

/** Throws `picture.empty`, `picture.format`, `picture.large` or `picture.damaged`, naming the file. */
export function checkPicture(bytes: Uint8Array, fileName: string): CheckedPicture {
  const name = plainName(fileName);
  const kind = fileKind(bytes);
  if (kind === 'empty')
    throw new AppError('picture.empty', `“${name}” is empty (0 bytes). Choose another copy of it.`);
  if (!isPictureKind(kind)) throw noPicture(name, `It is ${kindWords(kind)}.`);
  if (kind === 'svg' || kind === 'psd' || kind === 'raw' || kind === 'jp2') throw refused(kind, name);
  const header = readImageHeader(bytes);
  if (header !== null) requireModestSize(name, header.width, header.height);
  if (!isWhole(kind, bytes))
    throw new AppError(
      'picture.damaged',
      `“${name}” is cut short: the end of ${kindWords(kind)} is missing. Download or copy it again.`,
    );
  return { kind, animated: header?.animated ?? false };
}

/** Throws `picture.large`. */
export function requireModestSize(fileName: string, width: number, height: number): void {
  if (width * height <= MAX_PIXELS) return;
  throw new AppError(
    'picture.large',
    `“${plainName(fileName)}” has ${((width * height) / 1e6).toFixed(0)} megapixels; at most 40 are taken. Make it smaller and add it again.`,
  );
}

function noPicture(name: string, what: string): AppError {
  return new AppError(
    'picture.format',
    `“${name}” is not a picture. ${what} Use PNG, JPEG, WebP, GIF, AVIF or TIFF.`,
  );
}

const ON_A_PHONE =
  ' On an iPhone, Settings → Camera → Formats → Most Compatible takes JPEG from now on, and Photos exports one as JPEG.';

/** What is said of a picture that neither this page nor the browser reads. */
export function refused(kind: FileKind, fileName: string): AppError {
  const more = kind === 'heic' ? ON_A_PHONE : '';
  return new AppError(
    'picture.format',
    `“${plainName(fileName)}” is ${kindWords(kind)}, which this browser does not open. Save it as PNG or JPEG and add that.${more}`,
  );
}
