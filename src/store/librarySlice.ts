/** The library of concepts: choose, relabel, duplicate, delete with undo, export, and saving again what did not fit. */
import { plainName } from '../lib/plainName.ts';
import { markOf, replaceMarks } from '../lib/prompt.ts';
import { readTags } from '../lib/tags.ts';
import type { ExportFormat } from '../worker/api.ts';
import { calledConcept } from './calledConcepts.ts';
import type { Context } from './context.ts';
import { importConcepts } from './importing.ts';
import { leaveTrainings } from './interrupted.ts';
import { drawWithSample } from './taughtSamples.ts';
import { saveConcept, withFile } from './saving.ts';
import { cardOf, zipOf } from './sharing.ts';
import type { ConceptRecord, LibrarySlice } from './state.ts';
import { conceptFileName } from './words.ts';

export function createLibrarySlice(context: Context): LibrarySlice {
  return {
    concepts: [],
    unsaved: [],
    selectConcept: (conceptId) => context.get().edit({ conceptId, trainedStep: null }),
    relabelConcept: (id, name, tags) => relabelConcept(context, id, plainName(name), readTags(tags)),
    duplicateConcept: (id) => duplicateConcept(context, id),
    deleteConcept: (id) => deleteConcept(context, id),
    importConcepts: (files) => importConcepts(context, files),
    drawWithSample: (sample) => drawWithSample(context, sample),
    exportConcept: (id, format) => exported(context, id, (record) => foreignFile(context, record, format)),
    exportCard: (id) => exported(context, id, (record) => cardOf(context, record)),
    exportAll: () => fileOrProblem(context, () => zipOf(context.get().concepts)),
    saveAgain: () => saveAgain(context),
    removeEverything: () => removeEverything(context),
  };
}

function find({ get }: Context, id: string): ConceptRecord | undefined {
  return get().concepts.find((each) => each.id === id);
}

async function relabelConcept(
  context: Context,
  id: string,
  name: string,
  tags: readonly string[],
): Promise<void> {
  const { deps, get, messages } = context;
  const record = find(context, id);
  if (record === undefined || name === '') return;
  if (name === record.name && tags.join() === record.tags.join()) return;
  try {
    const relabelled = { ...record, name, tags, updated: deps.now() };
    const called = get().form.prompt;
    const prompt = replaceMarks(called, (mark) => {
      const isIt = mark !== '' && calledConcept(get(), mark)?.id === id;
      return markOf(isIt ? name : mark);
    });
    await saveConcept(context, await withFile(deps.client, relabelled, record.file));
    if (get().form.prompt === called && prompt !== called) get().edit({ prompt });
  } catch (error) {
    messages.report('library', error);
  }
}

/** A concept of its own from now on: the one is trained further, the other stays. */
async function duplicateConcept(context: Context, id: string): Promise<void> {
  const { deps, get, messages } = context;
  const record = find(context, id);
  if (record === undefined) return;
  try {
    const now = deps.now();
    const copy = { ...record, id: deps.newId(), name: `${record.name} copy`, created: now, updated: now };
    await saveConcept(context, await withFile(deps.client, copy, record.file));
    get().selectConcept(copy.id);
    messages.announce(`“${copy.name}” is in the library.`);
  } catch (error) {
    messages.report('library', error);
  }
}

async function deleteConcept(context: Context, id: string): Promise<void> {
  const { deps, get, set, messages } = context;
  const record = find(context, id);
  if (record === undefined || get().training?.conceptId === id) return;
  set(({ concepts }) => ({ concepts: concepts.filter((each) => each.id !== id) }));
  await leaveTrainings(context, [id]);
  if (get().form.conceptId === id) get().selectConcept(get().concepts.at(-1)?.id ?? null);
  messages.removed({ what: 'concept', label: `“${record.name}”`, concept: record });
  await deps.storage.concepts.remove(id).catch((error: unknown) => messages.report('library', error));
  await get().measureUsage();
}

async function foreignFile({ deps }: Context, record: ConceptRecord, format: ExportFormat): Promise<File> {
  const file = new Uint8Array(await record.file.arrayBuffer());
  const { bytes, ending } = await deps.client.exportConcept(file, format);
  return new File([bytes], conceptFileName(record.name, ending));
}

async function exported(
  context: Context,
  id: string,
  make: (record: ConceptRecord) => Promise<File>,
): Promise<File | null> {
  const record = find(context, id);
  return record === undefined ? null : fileOrProblem(context, () => make(record));
}

/** Null when it could not be made, which is then shown. */
async function fileOrProblem({ messages }: Context, make: () => Promise<File>): Promise<File | null> {
  messages.clear('library');
  try {
    return await make();
  } catch (error) {
    messages.report('library', error);
    return null;
  }
}

async function saveAgain(context: Context): Promise<void> {
  const { get, messages } = context;
  messages.clear('library');
  for (const id of get().unsaved) {
    const record = find(context, id);
    if (record !== undefined) await saveConcept(context, record);
  }
  await get().measureUsage();
}

async function removeEverything(context: Context): Promise<void> {
  const { deps, get, set, messages } = context;
  if (get().training !== null) return;
  await leaveTrainings(
    context,
    get().interrupted.map(({ conceptId }) => conceptId),
  );
  get().cancelGeneration();
  set({
    concepts: [],
    results: [],
    unsaved: [],
    removed: null,
    live: null,
    chosenResultId: null,
    grid: null,
  });
  get().selectConcept(null);
  const { concepts, results, grid } = deps.storage;
  const clearing = [concepts.clear(), results.clear(), grid.clear()];
  await Promise.all(clearing).catch((error: unknown) => messages.report('library', error));
  messages.announce('All concepts and results were removed.');
  await get().measureUsage();
}
