/** Object URLs for pictures: one for each Blob while something shows it, revoked soon after nothing does. */
import { useEffect } from 'react';

interface Shown {
  readonly url: string;
  users: number;
}

/** Milliseconds for a picture to be shown elsewhere, or to finish loading. */
const LINGER = 5000;
const shown = new Map<Blob, Shown>();

function hold(blob: Blob): Shown {
  const held = shown.get(blob) ?? { url: URL.createObjectURL(blob), users: 0 };
  shown.set(blob, held);
  return held;
}

function revokeUnused(blob: Blob): void {
  setTimeout(() => {
    const held = shown.get(blob);
    if (held === undefined || held.users > 0) return;
    URL.revokeObjectURL(held.url);
    shown.delete(blob);
  }, LINGER);
}

/** The Blob's URL for as long as the component shows it. */
export function useBlobUrl(blob: Blob): string {
  const { url } = hold(blob);
  useEffect(() => {
    hold(blob).users++;
    return () => {
      hold(blob).users--;
      revokeUnused(blob);
    };
  }, [blob]);
  return url;
}

/** Hands a file to the browser's downloads. */
export function download(blob: Blob, fileName: string): void {
  const link = document.createElement('a');
  link.href = hold(blob).url;
  link.download = fileName;
  link.click();
  revokeUnused(blob);
}
