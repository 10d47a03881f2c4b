/** Everything the store needs from a browser, put together for the real page. */
import { AppError } from '../lib/errors.ts';
import { MAX_SEED } from '../neti/limits.ts';
import { trainSettingsOn } from '../neti/baseDefaults.ts';
import type { StudioStorage } from '../storage/storage.ts';
import type { Updates } from '../offline/offline.ts';
import type { StudioDeps } from './context.ts';
import { browserImages } from '../pictures/decode.ts';
import { browserNotifier } from './notifier.ts';
import { browserLock } from './trainingLock.ts';
import type { BaseDefaults } from '../neti/baseDefaults.ts';
import type { ConceptKind } from '../lib/conceptKind.ts';
import type { TrainSettings } from '../neti/settings.ts';
import type { StudioClient } from '../worker/studioClient.ts';

/** A style is judged on things that it was not learned from. */
const STYLE_PREVIEWS = ['A cat in the style of {}', 'A house in the style of {}'];

function trainSettings(kind: ConceptKind, defaults: BaseDefaults): TrainSettings {
  const settings = trainSettingsOn(defaults);
  return kind === 'object' ? settings : { ...settings, previewPrompts: STYLE_PREVIEWS };
}

async function fetchFile(path: string): Promise<File> {
  const response = await fetch(path).catch(() => null);
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (response?.ok) return new File([await response.blob()], name, { type: 'image/png' });
  throw new AppError(
    'sample.missing',
    `The sample picture ${name} could not be fetched (${response === null ? 'no connection' : `answer ${response.status}`}). Check the connection and try again.`,
  );
}

const MAX_LINKED_BYTES = 200e6;

/** Asks nobody but the host, without cookies, and does not say which page it comes from. */
async function fetchLink(address: string): Promise<File> {
  const url = new URL(address);
  const name = decodeURIComponent(url.pathname.slice(url.pathname.lastIndexOf('/') + 1)) || 'picture';
  const response = await fetch(url, { mode: 'cors', credentials: 'omit', referrerPolicy: 'no-referrer' });
  const size = Number(response.headers.get('content-length') ?? 0);
  if (response.ok && size <= MAX_LINKED_BYTES) return new File([await response.blob()], name);
  await response.body?.cancel();
  throw new AppError('picture.link', `The host answered ${response.status}, ${size} bytes.`);
}

/** Works without a secure context too, where crypto.randomUUID is missing. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(36)).join('-');
}

function onLeave(listener: () => void): void {
  addEventListener('pagehide', listener);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && listener());
}

/** Address of the page's root, ending in a slash. */
export const pageRoot = () => new URL('.', document.baseURI).href;

export function browserDeps(client: StudioClient, storage: StudioStorage, updates: Updates): StudioDeps {
  return {
    client,
    storage,
    images: browserImages,
    lock: browserLock(navigator.locks),
    notifier: browserNotifier,
    updates,
    root: pageRoot(),
    fetchFile,
    fetchLink,
    trainSettings,
    onLeave,
    now: () => new Date().toISOString(),
    newId,
    randomSeed: () => crypto.getRandomValues(new Uint32Array(1))[0]! & MAX_SEED,
  };
}
