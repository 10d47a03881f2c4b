/**
 * The studio's storage of records, in IndexedDB by way of keyValue.ts. Where the browser denies it (private windows,
 * policies) everything works in memory and `blocked` says why. A record that cannot be read is reported and
 * skipped; it never keeps the others from loading.
 */
import type { z } from '../lib/zod.ts';
import type { AppError } from '../lib/errors.ts';
import { indexedDbKeyValue, memoryKeyValue, storageError, type KeyValue } from './keyValue.ts';
import {
  byAge,
  conceptSchema,
  draftFormSchema,
  draftPicturesSchema,
  gridSchema,
  resultSchema,
  type ConceptRecord,
  type DraftForm,
  type DraftPictures,
  type GridRecord,
  type ResultRecord,
} from './records.ts';
import { trainingStore, type TrainingStore } from './trainingStore.ts';

export interface Listing<Item> {
  /** Oldest first. */
  readonly records: readonly Item[];
  /** One line for each record that could not be read. */
  readonly damaged: readonly string[];
}

export interface Collection<Item> {
  list(): Promise<Listing<Item>>;
  /** Throws `storage.full` or `storage.blocked`. */
  put(record: Item): Promise<void>;
  remove(id: string): Promise<void>;
  clear(): Promise<void>;
}

export interface Slot<Item> {
  /** Null when nothing is kept or what is kept cannot be read. */
  load(): Promise<Item | null>;
  /** Whole or not at all. Throws `storage.full` or `storage.blocked`. */
  save(item: Item): Promise<void>;
  clear(): Promise<void>;
}

export interface Usage {
  /** Bytes; null where the browser does not tell. */
  readonly used: number | null;
  readonly available: number | null;
}

export interface StudioStorage {
  /** Why nothing outlives the tab, or null when records are kept. */
  readonly blocked: AppError | null;
  readonly concepts: Collection<ConceptRecord>;
  readonly results: Collection<ResultRecord>;
  readonly draftForm: Slot<DraftForm>;
  readonly draftPictures: Slot<DraftPictures>;
  /** The grid that was drawn last, as far as it came. */
  readonly grid: Slot<GridRecord>;
  readonly trainings: TrainingStore;
  /** Calls the listener when what was kept is gone without this page's doing: cleared in another tab, or evicted. */
  onLost(listener: () => void): void;
  /** Calls the listener after another tab changed the concepts. */
  onConceptsChanged(listener: () => void): void;
  usage(): Promise<Usage>;
  /** Asks the browser to keep everything even when the disk is short; whether it will. */
  persist(): Promise<boolean>;
}

interface Stored {
  readonly id: string;
  readonly created: string;
}

function describeDamage(key: string, error: z.ZodError): string {
  const issue = error.issues[0];
  return `${key}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'unreadable'}`;
}

function collection<Item extends Stored>(values: KeyValue, schema: z.ZodType<Item>): Collection<Item> {
  return {
    async list() {
      const parsed = (await values.entries()).map(([key, value]) => ({ key, ...schema.safeParse(value) }));
      const records = parsed.flatMap((each) => (each.success ? [each.data] : []));
      const damaged = parsed.flatMap((each) => (each.success ? [] : [describeDamage(each.key, each.error)]));
      return { records: byAge(records), damaged };
    },
    put: (record) => values.set(record.id, record),
    remove: (id) => values.delete(id),
    clear: () => values.clear(),
  };
}

function slot<Item>(values: KeyValue, key: string, schema: z.ZodType<Item>): Slot<Item> {
  return {
    async load() {
      const parsed = schema.safeParse(await values.get(key));
      return parsed.success ? parsed.data : null;
    },
    save: (item) => values.set(key, item),
    clear: () => values.delete(key),
  };
}

async function estimate(): Promise<Usage> {
  if (globalThis.navigator?.storage?.estimate === undefined) return { used: null, available: null };
  const { usage, quota } = await navigator.storage.estimate();
  return { used: usage ?? null, available: quota ?? null };
}

/** The same values; every change is told to the other tabs once it is stored. */
function announced(values: KeyValue, channel: BroadcastChannel): KeyValue {
  const telling = async (change: Promise<void>) => {
    await change;
    channel.postMessage('changed');
  };
  return {
    ...values,
    set: (key, value) => telling(values.set(key, value)),
    delete: (key) => telling(values.delete(key)),
    clear: () => telling(values.clear()),
  };
}

function compose(
  open: (database: string) => KeyValue,
  channel: BroadcastChannel | null,
  blocked: AppError | null,
): StudioStorage {
  const draft = open('neti-studio-draft');
  const concepts = open('neti-studio-concepts');
  return {
    blocked,
    concepts: collection(channel === null ? concepts : announced(concepts, channel), conceptSchema),
    results: collection(open('neti-studio-results'), resultSchema),
    draftForm: slot(draft, 'form', draftFormSchema),
    draftPictures: slot(draft, 'pictures', draftPicturesSchema),
    grid: slot(open('neti-studio-grid'), 'grid', gridSchema),
    trainings: trainingStore(open('neti-studio-trainings')),
    onLost: (listener) => void (channel && watch(draft, listener)),
    onConceptsChanged: (listener) => channel?.addEventListener('message', listener),
    usage: estimate,
    persist: () => globalThis.navigator?.storage?.persist?.() ?? Promise.resolve(false),
  };
}

/** Milliseconds between looks at what is kept. */
const WATCH_PERIOD = 2000;

/** A mark stands for everything that is kept; after a loss, the first tab that notices sets another. */
async function watch(values: KeyValue, onLost: () => void): Promise<void> {
  const mark = () => values.setFirst('mark', crypto.getRandomValues(new Uint32Array(4)).join('-'));
  let known = await mark().catch(() => null);
  const look = async () => {
    const found = await values
      .get('mark')
      .then((kept) => kept ?? mark())
      .catch(() => known);
    if (found !== known) onLost();
    known = found;
  };
  setInterval(() => void look(), WATCH_PERIOD);
}

/** Storage that is gone with the tab. */
export function openMemoryStorage(blocked: AppError | null = null): StudioStorage {
  return compose(memoryKeyValue, null, blocked);
}

/** Opens the studio's databases, or storage in memory where the browser denies them. Never rejects. */
export async function openStorage(): Promise<StudioStorage> {
  try {
    await indexedDbKeyValue('neti-studio-draft').get('form');
    return compose(indexedDbKeyValue, new BroadcastChannel('neti-studio-concepts'), null);
  } catch (error) {
    return openMemoryStorage(storageError(error));
  }
}
