/** Putting concepts into the library and into storage. A failed save keeps the concept on the page and says so. */
import type { StudioClient } from '../worker/api.ts';
import type { Context } from './context.ts';
import { toDataUrl } from './png.ts';
import type { ConceptRecord } from './state.ts';

/** The record with a concept file that carries the record's name and thumbnail. */
export async function withFile(
  client: StudioClient,
  record: ConceptRecord,
  file: Blob,
): Promise<ConceptRecord> {
  const thumbnail = record.thumbnail === null ? '' : await toDataUrl(record.thumbnail);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const labelled = await client.relabelConcept(bytes, { name: record.name, thumbnail });
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
