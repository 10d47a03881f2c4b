/**
 * Putting concepts into the library and into storage. A failed save keeps the concept on the page and says so. Records from
 * before they said how their concept stands in a prompt learn it from its file.
 */
import { toPngUrl } from '../pictures/pngUrl.ts';
import type { Context } from './context.ts';
import { isUsable } from './openBase.ts';
import type { ConceptRecord } from './state.ts';
import type { StudioClient } from '../worker/studioClient.ts';

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** The record with a concept file that carries the record's name, thumbnail and tags. */
export async function withFile(
  client: StudioClient,
  record: ConceptRecord,
  file: Blob,
): Promise<ConceptRecord> {
  const thumbnail = record.thumbnail === null ? '' : toPngUrl(await bytesOf(record.thumbnail));
  const { name, tags } = record;
  const labelled = await client.relabelConcept(await bytesOf(file), { name, thumbnail, tags });
  return { ...record, file: new Blob([labelled], { type: 'application/octet-stream' }) };
}

/** Shows the record in the library at once and stores it. Never rejects: problems are shown at the library. */
export async function saveConcept({ deps, set, messages }: Context, record: ConceptRecord): Promise<void> {
  set(({ concepts }) => ({
    concepts: concepts.some((each) => each.id === record.id)
      ? concepts.map((each) => (each.id === record.id ? record : each))
      : [...concepts, record],
  }));
  try {
    await deps.storage.concepts.put(record);
    set(({ unsaved }) => ({ unsaved: unsaved.filter((id) => id !== record.id) }));
  } catch (error) {
    set(({ unsaved }) => ({ unsaved: [...new Set([...unsaved, record.id])] }));
    messages.report('library', error);
  }
}

/** Gives `word` to the usable records that lack it, without bothering anybody: what fails is tried again when a base opens. */
export async function fillInWords(context: Context): Promise<void> {
  const lacking = context
    .get()
    .concepts.filter((each) => each.word === undefined && isUsable(context.get(), each));
  for (const record of lacking) await fillInWord(context, record).catch(() => undefined);
}

async function fillInWord({ deps, get, set }: Context, { id, file }: ConceptRecord): Promise<void> {
  const { word } = await deps.client.inspectConcept(await bytesOf(file));
  set(({ concepts }) => ({ concepts: concepts.map((each) => (each.id === id ? { ...each, word } : each)) }));
  // The record as it is by now: it may have been renamed or removed meanwhile.
  const record = get().concepts.find((each) => each.id === id);
  if (record !== undefined) await deps.storage.concepts.put(record);
}
