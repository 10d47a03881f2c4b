/** The library of concepts: choose, rename, delete with undo, import, and saving again what did not fit. */
import { AppError } from '../lib/errors.ts';
import type { ConceptInfo } from '../worker/api.ts';
import type { Context } from './context.ts';
import { saveConcept, withFile } from './saving.ts';
import type { ConceptRecord, LibrarySlice } from './state.ts';

/** A mapper of Stable Diffusion's size is 2.3 MB; far beyond that a file is no concept. */
const MAX_IMPORT_BYTES = 64e6;

async function thumbnailOf(info: ConceptInfo): Promise<Blob | null> {
  if (!info.thumbnail.startsWith('data:image/png;base64,')) return null;
  const bytes = Uint8Array.from(atob(info.thumbnail.slice(22)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: 'image/png' });
}

export function createLibrarySlice(context: Context): LibrarySlice {
  const { deps, get, set, messages } = context;
  const find = (id: string) => get().concepts.find((each) => each.id === id);

  async function readImport(file: File): Promise<ConceptRecord> {
    if (file.size === 0 || file.size > MAX_IMPORT_BYTES)
      throw new AppError(
        'concept.size',
        `A concept file has between 1 byte and 64 MB; this one has ${file.size} bytes. Export it again.`,
      );
    const info = await deps.client.inspectConcept(new Uint8Array(await file.arrayBuffer()));
    const { name, category, kind, created, baseId, baseHash, step } = info;
    return {
      ...{
        version: 1,
        id: deps.newId(),
        name,
        category,
        kind,
        created: created || deps.now(),
        updated: deps.now(),
      },
      ...{ baseId, baseHash, step, steps: step, seed: 0, file: new Blob([file]) },
      thumbnail: await thumbnailOf(info),
      ...{ pictures: [], previews: [], curve: [] },
    };
  }

  async function importOne(file: File): Promise<void> {
    try {
      const record = await readImport(file);
      await saveConcept(context, record);
      get().selectConcept(record.id);
      messages.announce(`${record.name} was imported.`);
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'concept.corrupt';
      const reason = error instanceof Error ? error.message : String(error);
      messages.report('library', new AppError(code, `“${file.name}” was not imported. ${reason}`));
    }
  }

  return {
    concepts: [],
    unsaved: [],
    selectConcept(id) {
      get().edit({ conceptId: id });
    },
    async renameConcept(id, name) {
      const [record, trimmed] = [find(id), name.trim()];
      if (record === undefined || trimmed === '' || trimmed === record.name) return;
      try {
        const renamed = { ...record, name: trimmed, updated: deps.now() };
        await saveConcept(context, await withFile(deps.client, renamed, record.file));
      } catch (error) {
        messages.report('library', error);
      }
    },
    async deleteConcept(id) {
      const record = find(id);
      if (record === undefined || get().training?.conceptId === id) return;
      set(({ concepts }) => ({ concepts: concepts.filter((each) => each.id !== id) }));
      if (get().form.conceptId === id) get().selectConcept(get().concepts.at(-1)?.id ?? null);
      messages.removed({ what: 'concept', label: `“${record.name}”`, concept: record });
      await deps.storage.concepts.remove(id).catch((error: unknown) => messages.report('library', error));
      await get().measureUsage();
    },
    async importConcepts(files) {
      messages.clear('library');
      for (const file of files) await importOne(file);
      await get().measureUsage();
    },
    async saveAgain() {
      messages.clear('library');
      for (const id of get().unsaved) {
        const record = find(id);
        if (record !== undefined) await saveConcept(context, record);
      }
      await get().measureUsage();
    },
    async removeEverything() {
      if (get().training !== null) return;
      get().cancelGeneration();
      set({ concepts: [], results: [], unsaved: [], removed: null, live: null, chosenResultId: null });
      get().selectConcept(null);
      const clearing = [deps.storage.concepts.clear(), deps.storage.results.clear()];
      await Promise.all(clearing).catch((error: unknown) => messages.report('library', error));
      messages.announce('All concepts and results were removed.');
      await get().measureUsage();
    },
  };
}
