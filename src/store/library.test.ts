/** The library of concepts, and what is there again when the page is opened again. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { openMemoryStorage } from '../storage/storage.ts';
import { chosenConcepts, isPlain } from './pictureConcepts.ts';
import { fillIn, recordingImports, scriptedClient, startStudio } from './testing/scriptedStudio.ts';
import type { ConceptWord, ImportOrigin } from '../neti/conceptMetadata.ts';

async function trained() {
  const studio = await startStudio();
  await fillIn(studio);
  await studio.store.getState().train();
  return studio;
}

describe('library', () => {
  it('renames and tags, with the file', async () => {
    const labels: unknown[] = [];
    const client = scriptedClient({
      relabelConcept: (file, { name, tags }) => {
        labels.push([name, tags]);
        return Promise.resolve(file);
      },
    });
    const studio = await startStudio({ client });
    await fillIn(studio);
    await studio.store.getState().train();
    await studio.store
      .getState()
      .relabelConcept(studio.store.getState().concepts[0]!.id, ' clockwork ', 'toys, tin,, toys');
    const [kept] = (await studio.storage.concepts.list()).records;
    expect(kept).toMatchObject({ name: 'clockwork', tags: ['toys', 'tin'] });
    expect(labels.at(-1)).toEqual(['clockwork', ['toys', 'tin']]);
  });

  it('deletes and brings back', async () => {
    const { store, storage } = await trained();
    const [concept] = store.getState().concepts;
    await store.getState().deleteConcept(concept!.id);
    expect(store.getState().concepts).toEqual([]);
    expect(store.getState().form.conceptId).toBeNull();
    expect((await storage.concepts.list()).records).toEqual([]);
    await store.getState().undo();
    expect(store.getState().concepts).toEqual([concept]);
    expect((await storage.concepts.list()).records).toHaveLength(1);
  });

  it('imports a concept and chooses it', async () => {
    const { store, storage } = await startStudio();
    await store.getState().importConcepts([new File(['file'], 'imported.safetensors')]);
    const { concepts, form } = store.getState();
    expect(concepts[0]).toMatchObject({ name: 'imported', step: 100 });
    expect(form.conceptId).toBe(concepts[0]?.id);
    expect((await storage.concepts.list()).records).toHaveLength(1);
  });

  it('knows how many tokens an imported word takes, also after a reload, and says so', async () => {
    const storage = openMemoryStorage();
    const info = await scriptedClient().inspectConcept(new Uint8Array());
    const imported: ImportOrigin = { format: 'textual-inversion', files: ['word.pt'], base: null };
    const inspectConcept = () =>
      Promise.resolve({ ...info, word: { vectors: 3, plain: true, hidden: 128 }, imported });
    const { store } = await startStudio({ storage, client: scriptedClient({ inspectConcept }) });
    await store.getState().importConcepts([new File(['x'], 'word.pt')]);
    expect(store.getState().problems.library[0]?.message).toContain('it takes 3 tokens');
    const later = await startStudio({ storage });
    expect(later.store.getState().concepts[0]?.word).toEqual({ vectors: 3, plain: true, hidden: 128 });
  });

  it('learns from the files how concepts of the former form stand in a prompt, once and quietly', async () => {
    const storage = openMemoryStorage();
    const former = {
      version: 1 as const,
      name: 'word',
      category: 'toy',
      kind: 'object' as const,
      baseId: 'base',
      created: '2026-01-01T00:00:00.000Z',
      updated: '2026-01-01T00:00:00.000Z',
      step: 0,
      steps: 0,
      seed: 0,
      thumbnail: null,
      tags: [],
      pictures: [],
      previews: [],
      curve: [],
    };
    const [open, other] = ['abcdef0123456789', 'fedcba9876543210'];
    for (const [id, baseHash] of Object.entries({ damaged: open, word: open, 'of another base': other }))
      await storage.concepts.put({ ...former, id, baseHash, file: new Blob([id]) });
    // Between, records said less than they do.
    const between = { vectors: 3, plain: true } as unknown as ConceptWord;
    await storage.concepts.put({
      ...former,
      id: 'between',
      baseHash: open!,
      file: new Blob(['word']),
      word: between,
    });
    const info = await scriptedClient().inspectConcept(new Uint8Array());
    const word = { vectors: 3, plain: true, hidden: 128 };
    const inspectConcept = vi.fn((file: Uint8Array) =>
      new TextDecoder().decode(file) === 'word'
        ? Promise.resolve({ ...info, word })
        : Promise.reject(new AppError('concept.corrupt', 'The reason.')),
    );
    const { store } = await startStudio({ storage, client: scriptedClient({ inspectConcept }) });
    store.getState().selectConcept('word');
    expect(isPlain(chosenConcepts(store.getState()))).toBe(true);
    expect(inspectConcept).toHaveBeenCalledTimes(3);
    expect([store.getState().problems.library, store.getState().unsaved]).toEqual([[], []]);
    const { records } = await storage.concepts.list();
    const words = Object.fromEntries(records.map((each) => [each.id, each.word]));
    expect(words).toEqual({ damaged: undefined, word, between: word, 'of another base': undefined });
  });

  it.each(['concept.corrupt', 'concept.base'])(
    'refuses %s, names the file and leaves the library',
    async (code) => {
      const inspectConcept = () => Promise.reject(new AppError(code, 'The reason.'));
      const { store } = await startStudio({ client: scriptedClient({ inspectConcept }) });
      await store.getState().importConcepts([new File(['x'], 'a.safetensors')]);
      expect(store.getState().concepts).toEqual([]);
      expect(store.getState().problems.library[0]).toMatchObject({ code });
      expect(store.getState().problems.library[0]?.message).toContain(
        '“a.safetensors” was not imported. The reason.',
      );
    },
  );

  it('hands the two files of an official concept over together, and says what the base is known by', async () => {
    const scripted = scriptedClient();
    const { groups, importConcepts } = recordingImports();
    const client = scriptedClient({
      importConcepts,
      inspectConcept: async (file) => ({
        ...(await scripted.inspectConcept(file)),
        imported: { format: 'textual-inversion', files: ['learned_embeds-steps-9.bin'], base: 'sd-v1-4' },
      }),
    });
    const { store } = await startStudio({ client });
    const names = ['learned_embeds-final.bin', 'mapper-final.pt'];
    await store.getState().importConcepts(names.map((name) => new File(['x'], name)));
    expect(groups).toEqual([['mapper-final.pt', 'learned_embeds-final.bin']]);
    const [note] = store.getState().problems.library;
    expect(note).toMatchObject({ tone: 'note', code: 'concept.imported' });
    expect(note?.message).toMatch(/learned on “sd-v1-4”.*together with mapper-steps-9\.pt/);
  });

  it('exports for other programs, and says why it could not', async () => {
    const { store } = await trained();
    const [concept] = store.getState().concepts;
    const file = await store.getState().exportConcept(concept!.id, 'official-neti');
    expect(file?.name).toBe('tin robot.official-neti.zip');

    const exportConcept = () => Promise.reject(new AppError('official.variant', 'The reason.'));
    const failing = await startStudio({ client: scriptedClient({ exportConcept }) });
    await failing.store.getState().importConcepts([new File(['file'], 'a.safetensors')]);
    const [other] = failing.store.getState().concepts;
    expect(await failing.store.getState().exportConcept(other!.id, 'official-neti')).toBeNull();
    expect(failing.store.getState().problems.library[0]).toMatchObject({ code: 'official.variant' });
  });

  it('refuses an empty concept file before it reaches the worker', async () => {
    const { store } = await startStudio();
    await store.getState().importConcepts([new File([], 'a.safetensors')]);
    expect(store.getState().problems.library[0]).toMatchObject({ code: 'concept.size' });
  });

  it('is there again, with results and draft, when the page is opened again', async () => {
    const first = await trained();
    await first.store.getState().generate();
    first.store.getState().edit({ prompt: 'A painting of {}' });
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { store } = await startStudio({ storage: first.storage });
    expect(store.getState().concepts).toHaveLength(1);
    expect(store.getState().results).toHaveLength(4);
    expect(store.getState().form).toMatchObject({ name: 'tin robot', prompt: 'A painting of {}' });
    expect(store.getState().pictures).toHaveLength(1);
  });

  it('follows what another tab changed, and keeps what exists only here', async () => {
    let tell: () => void = () => undefined;
    const storage = {
      ...openMemoryStorage(),
      onConceptsChanged: (listener: () => void) => (tell = listener),
    };
    const studio = await startStudio({ storage });
    await fillIn(studio);
    await studio.store.getState().train();
    const state = () => studio.store.getState();
    const [mine] = state().concepts;
    await storage.concepts.put({ ...mine!, id: 'theirs', name: 'theirs' });
    tell();
    await expect.poll(() => state().concepts.map(({ id }) => id)).toEqual([mine!.id, 'theirs']);

    await storage.concepts.clear();
    studio.store.setState({ unsaved: ['theirs'] });
    tell();
    await expect.poll(() => state().concepts.map(({ id }) => id)).toEqual(['theirs']);
    expect(state().form.conceptId).toBeNull();
  });

  it('removes everything', async () => {
    const { store, storage } = await trained();
    await store.getState().generate();
    await store.getState().removeEverything();
    expect((await storage.concepts.list()).records).toEqual([]);
    expect((await storage.results.list()).records).toEqual([]);
    expect(store.getState().concepts).toEqual([]);
  });

  it('says when nothing can be stored', async () => {
    const storage = openMemoryStorage(new AppError('storage.blocked', 'Denied.'));
    const { store } = await startStudio({ storage });
    expect(store.getState().problems.library[0]).toMatchObject({ code: 'storage.blocked' });
  });
});
