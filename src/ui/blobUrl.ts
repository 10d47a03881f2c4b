/** Object URLs for pictures: one for each Blob, revoked when the Blob itself is no longer referenced anywhere. */
const urls = new WeakMap<Blob, string>();
const revoke = new FinalizationRegistry<string>((url) => URL.revokeObjectURL(url));

export function blobUrl(blob: Blob): string {
  const known = urls.get(blob);
  if (known !== undefined) return known;
  const url = URL.createObjectURL(blob);
  urls.set(blob, url);
  revoke.register(blob, url);
  return url;
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = blobUrl(blob);
  link.download = fileName;
  link.click();
}
