/** The library of concepts: choose, rename, delete with undo, import, and saving again what did not fit. */
import { AppError } from '../lib/errors.ts';
import type { ConceptInfo, ImportOrigin, NamedFile } from '../worker/api.ts';
import type { Context } from './context.ts';
import { groupConceptFiles, partnerOf } from './importFiles.ts';
import { saveConcept, withFile } from './saving.ts';
import type { ConceptRecord, LibrarySlice } from './state.ts';
import { conceptFileName } from './words.ts';

/** A mapper of Stable Diffusion's size is 2.3 MB; far beyond that a file is no concept. */
const MAX_IMPORT_BYTES = 64e6;

async function thumbnailOf(info: ConceptInfo): Promise<Blob | null> {
  if (!info.thumbnail.startsWith('data:image/png;base64,')) return null;
  const bytes = Uint8Array.from(atob(info.thumbnail.slice(22)), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: 'image/png' });
}

/** What nobody can check about a concept of another program. */
function originNote(
  { name, baseId, word: { vectors } }: ConceptInfo,
  { base, files, format }: ImportOrigin,
): string {
  const says =
    base === null ? 'does not say which model it was learned on' : `says it was learned on “${base}”`;
  const mapper = format === 'textual-inversion' ? partnerOf(files[0]!, 'embeds') : undefined;
  const alone = mapper
    ? ` If it belongs to an official NeTI concept, import it together with ${mapper}: alone it is only one word.`
    : '';
  const room = vectors > 1 ? ` In a prompt it takes ${vectors} tokens, one for each of its vectors.` : '';
  return `“${name}” comes from another program: its file ${says}. It fits “${baseId}” by its sizes, no more is known.${room}${alone}`;
}

export function createLibrarySlice(context: Context): LibrarySlice {
  const { deps, get, set, messages } = context;
  const find = (id: string) => get().concepts.find((each) => each.id === id);

  async function read(file: File): Promise<NamedFile> {
    if (file.size === 0 || file.size > MAX_IMPORT_BYTES)
      throw new AppError(
        'concept.size',
        `A concept file has between 1 byte and 64 MB; this one has ${file.size} bytes. Export it again.`,
      );
    return { name: file.name, bytes: new Uint8Array(await file.arrayBuffer()) };
  }

  async function readImport(files: readonly File[]): Promise<ConceptRecord> {
    const bytes = await deps.client.importConcept(await Promise.all(files.map(read)));
    const info = await deps.client.inspectConcept(bytes);
    if (info.imported) messages.note('library', 'concept.imported', originNote(info, info.imported));
    const { name, category, kind, created, baseId, baseHash, step, word } = info;
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
      ...{ baseId, baseHash, step, steps: step, seed: 0, file: new Blob([bytes]), word },
      thumbnail: await thumbnailOf(info),
      ...{ pictures: [], previews: [], curve: [] },
    };
  }

  async function importOne(files: readonly File[]): Promise<void> {
    try {
      const record = await readImport(files);
      await saveConcept(context, record);
      get().selectConcept(record.id);
      messages.announce(`${record.name} was imported.`);
    } catch (error) {
      const code = error instanceof AppError ? error.code : 'concept.corrupt';
      const reason = error instanceof Error ? error.message : String(error);
      messages.report(
        'library',
        new AppError(code, `“${files.map(({ name }) => name).join('” with “')}” was not imported. ${reason}`),
      );
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
      for (const group of groupConceptFiles(files)) await importOne(group);
      await get().measureUsage();
    },
    async exportConcept(id, format) {
      messages.clear('library');
      const record = find(id);
      if (record === undefined) return null;
      try {
        const file = new Uint8Array(await record.file.arrayBuffer());
        const { bytes, ending } = await deps.client.exportConcept(file, format);
        return new File([bytes], conceptFileName(record.name, ending));
      } catch (error) {
        messages.report('library', error);
        return null;
      }
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
