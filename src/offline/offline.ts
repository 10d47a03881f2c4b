/** The page's side of the service worker: puts it in place, reloads once where it alone can give threads, and tells of new versions. */
import { Workbox } from 'workbox-window';

/** How the page learns of a new version, and takes it. */
export interface Updates {
  /** Calls once when a new version lies ready; the page goes on with its own until `apply`. */
  onReady(tell: () => void): void;
  /** Takes the new version and reloads the page. */
  apply(): void;
}

/** Milliseconds that a first visit waits for its service worker, before it goes on with one thread. */
const PATIENCE = 4000;
const TRIED = 'neti-isolation-tried';

function startWorker(root: string): Workbox | null {
  if (import.meta.env.DEV || !('serviceWorker' in navigator) || !isSecureContext) return null;
  return new Workbox(new URL('serviceWorker.js', root).href);
}

/**
 * Puts the service worker of the page at `root` in place. Where the host sends no isolation headers, a first visit waits
 * for it and reloads, once: then it never resolves.
 */
export async function goOffline(root: string): Promise<Updates> {
  const workbox = startWorker(root);
  if (workbox === null) return { onReady: () => undefined, apply: () => undefined };
  const ready = new Promise<void>((resolve) => {
    workbox.addEventListener('waiting', () => resolve());
  });
  const registered = workbox.register({ immediate: !crossOriginIsolated }).catch(() => undefined);
  if (!crossOriginIsolated && sessionStorage.getItem(TRIED) === null) {
    sessionStorage.setItem(TRIED, 'yes');
    await Promise.race([registered.then(() => workbox.controlling), pause(PATIENCE)]);
    if (navigator.serviceWorker.controller !== null) await reload();
  }
  return {
    onReady: (tell) => void ready.then(tell),
    apply: () => {
      workbox.addEventListener('controlling', () => location.reload());
      workbox.messageSkipWaiting();
    },
  };
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

function reload(): Promise<never> {
  location.reload();
  return new Promise(() => undefined);
}
