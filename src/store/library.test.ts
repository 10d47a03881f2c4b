import { describe, expect, it } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { openMemoryStorage } from '../storage/storage.ts';
import { fillIn, scriptedClient, startStudio } from './testStudio.ts';

async function trained() {
  const studio = await startStudio();
  await fillIn(studio);
  await studio.store.getState().train();
  return studio;
}

describe('library', () => {
  it('renames, with the file', async () => {
    const names: string[] = [];
    const client = scriptedClient({
      relabelConcept: (file, { name }) => {
        names.push(name);
        return Promise.resolve(file);
      },
    });
    const studio = await startStudio({ client });
    await fillIn(studio);
    await studio.store.getState().train();
    await studio.store.getState().renameConcept(studio.store.getState().concepts[0]!.id, ' clockwork ');
    expect((await studio.storage.concepts.list()).records[0]?.name).toBe('clockwork');
    expect(names.at(-1)).toBe('clockwork');
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
