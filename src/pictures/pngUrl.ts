/** PNG files as data URLs, as concept files carry their thumbnails. */
const PREFIX = 'data:image/png;base64,';

export function toPngUrl(png: Uint8Array): string {
  return PREFIX + btoa(Array.from(png, (byte) => String.fromCharCode(byte)).join(''));
}

/** The file's bytes; null for any other text. */
export function fromPngUrl(url: string): Uint8Array<ArrayBuffer> | null {
  if (!url.startsWith(PREFIX)) return null;
  return Uint8Array.from(atob(url.slice(PREFIX.length)), (letter) => letter.charCodeAt(0));
}
