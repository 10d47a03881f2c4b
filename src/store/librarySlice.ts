/** The library of concepts: choose, rename, delete with undo, export, and saving again what did not fit. */
import { plainName } from '../lib/plainName.ts';
import type { ExportFormat } from '../worker/api.ts';
import type { Context } from './context.ts';
import { importConcepts } from './importing.ts';
import { leaveTrainings } from './interrupted.ts';
import { saveConcept, withFile } from './saving.ts';
import type { ConceptRecord, LibrarySlice } from './state.ts';
import { conceptFileName } from './words.ts';

export function createLibrarySlice(context: Context): LibrarySlice {
  return {
    concepts: [],
    unsaved: [],
    selectConcept: (conceptId) => context.get().edit({ conceptId, trainedStep: null }),
    renameConcept: (id, name) => renameConcept(context, id, plainName(name)),
    deleteConcept: (id) => deleteConcept(context, id),
    importConcepts: (files) => importConcepts(context, files),
    exportConcept: (id, format) => exportConcept(context, id, format),
    saveAgain: () => saveAgain(context),
    removeEverything: () => removeEverything(context),
  };
}

function find({ get }: Context, id: string): ConceptRecord | undefined {
  return get().concepts.find((each) => each.id === id);
}

async function renameConcept(context: Context, id: string, name: string): Promise<void> {
  const { deps, messages } = context;
  const record = find(context, id);
  if (record === undefined || name === '' || name === record.name) return;
  try {
    const renamed = { ...record, name, updated: deps.now() };
    await saveConcept(context, await withFile(deps.client, renamed, record.file));
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

async function exportConcept(context: Context, id: string, format: ExportFormat): Promise<File | null> {
  const { deps, messages } = context;
  messages.clear('library');
  const record = find(context, id);
  if (record === undefined) return null;
  try {
    const file = new Uint8Array(await record.file.arrayBuffer());
    const { bytes, ending } = await deps.client.exportConcept(file, format);
    return new File([bytes], conceptFileName(record.name, ending));
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
