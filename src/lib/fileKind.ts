/**
 * What a file is, read off its first bytes: names lie, and downloads are not always what was asked for. Signatures: PNG, JPEG,
 * GIF, WebP (RIFF), ISO base media files by their brands (AVIF, HEIF), TIFF 6.0, ZIP, Python pickles, safetensors, Git LFS.
 */
const KIND_WORDS = {
  empty: 'empty (0 bytes)',
  lfs: 'a Git LFS pointer, not the file itself: download it with Git LFS, or from the file’s own page',
  html: 'a web page, not the file itself: the address probably asks to sign in or to agree first; download it in the browser',
  safetensors: 'a safetensors file',
  zip: 'a zip',
  pickle: 'a Python pickle',
  gzip: 'a gzip archive: unpack it first',
  sevenZip: 'a 7z archive: unpack it first',
  rar: 'a RAR archive: unpack it first',
  gguf: 'a GGUF model, which this studio does not read',
  pdf: 'a PDF',
  video: 'a video',
  png: 'a PNG picture',
  jpeg: 'a JPEG picture',
  gif: 'a GIF picture',
  webp: 'a WebP picture',
  avif: 'an AVIF picture',
  bmp: 'a BMP picture',
  ico: 'an icon (ICO)',
  heic: 'a HEIC photo (HEIF)',
  tiff: 'a TIFF picture',
  raw: 'a raw photo of a camera',
  jxl: 'a JPEG XL picture',
  jp2: 'a JPEG 2000 picture',
  psd: 'a Photoshop document',
  svg: 'an SVG drawing',
  text: 'a text',
  unknown: 'of a kind that this studio does not know',
} as const;

export type FileKind = keyof typeof KIND_WORDS;

/** Completes "It is …". */
export function kindWords(kind: FileKind): string {
  return KIND_WORDS[kind];
}

const PICTURES: ReadonlySet<FileKind> = new Set([
  ...(['png', 'jpeg', 'gif', 'webp', 'avif', 'bmp', 'ico', 'heic', 'tiff', 'raw', 'jxl', 'jp2'] as const),
  ...(['psd', 'svg'] as const),
]);

/** Whether it is a picture of whatever format, readable here or not. */
export function isPictureKind(kind: FileKind): boolean {
  return PICTURES.has(kind);
}

/** Bytes from the start of a file that `fileKind` needs at most. */
export const KIND_BYTES = 512;

/** Signatures in Latin-1 at an offset; the first that fits is the kind. */
const SIGNATURES: readonly (readonly [FileKind, number, string])[] = [
  ['lfs', 0, 'version https://git-lfs'],
  ['zip', 0, 'PK\x03\x04'],
  ['zip', 0, 'PK\x05\x06'],
  ['png', 0, '\x89PNG\r\n\x1a\n'],
  ['jpeg', 0, '\xff\xd8\xff'],
  ['gif', 0, 'GIF8'],
  ['webp', 8, 'WEBP'],
  ['jxl', 0, '\xff\x0a'],
  ['jxl', 4, 'JXL '],
  ['jp2', 4, 'jP  '],
  ['psd', 0, '8BPS'],
  ['raw', 8, 'CR\x02'],
  ['raw', 0, 'FUJIFILMCCD-RAW'],
  ['raw', 0, 'IIRO'],
  ['tiff', 0, 'II*\0'],
  ['tiff', 0, 'MM\0*'],
  ['tiff', 0, 'II+\0'],
  ['ico', 0, '\0\0\x01\0'],
  ['gzip', 0, '\x1f\x8b'],
  ['sevenZip', 0, '7z\xbc\xaf\x27\x1c'],
  ['rar', 0, 'Rar!'],
  ['gguf', 0, 'GGUF'],
  ['pdf', 0, '%PDF'],
  ['video', 0, '\x1aE\xdf\xa3'],
  ['bmp', 0, 'BM'],
];

/** Brands of ISO base media files, major or compatible. */
const BRANDS: readonly (readonly [FileKind, RegExp])[] = [
  ['avif', /avi[fs]/],
  ['heic', /hei[cxms]|hev[cxms]|mif1|msf1/],
  ['raw', /crx /],
  ['video', /^/],
];

/** @param head the file's first bytes, `KIND_BYTES` of them where it has as many */
export function fileKind(head: Uint8Array): FileKind {
  if (head.length === 0) return 'empty';
  const text = String.fromCharCode(...head.subarray(0, KIND_BYTES));
  if (text.startsWith('ftyp', 4)) {
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    const brands = text.slice(8, Math.min(Math.max(12, length), text.length));
    return BRANDS.find(([, pattern]) => pattern.test(brands))![0];
  }
  const signed = SIGNATURES.find(([, at, signature]) => text.startsWith(signature, at));
  if (signed) return signed[0];
  if (isSafetensors(text)) return 'safetensors';
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) return 'pickle';
  return textKind(text, head);
}

/** Eight bytes of a length, which is no text, then a JSON object. */
function isSafetensors(text: string): boolean {
  return text[8] === '{' && !/^[\x20-\x7e]{8}/.test(text);
}

function textKind(text: string, head: Uint8Array): FileKind {
  const start = text.replace(/^(\xef\xbb\xbf)?\s*/, '').toLowerCase();
  if (/^<(!doctype html|html|head|body)/.test(start)) return 'html';
  if (start.startsWith('<svg') || (start.startsWith('<?xml') && start.includes('<svg'))) return 'svg';
  return /^[\t\n\r\x20-\x7e\x80-\xff]*$/.test(text) && isUtf8(head) ? 'text' : 'unknown';
}

/** The last letter may be cut. */
function isUtf8(head: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head.subarray(0, KIND_BYTES), { stream: true });
    return true;
  } catch {
    return false;
  }
}
