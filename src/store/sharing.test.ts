/** Cards, zips of all concepts, links to concepts, copies, and finding one among many. */
import { describe, expect, it, vi } from 'vitest';
import { unzip } from '../lib/archive.ts';
import { conceptInPng } from '../pictures/pngConcept.ts';
import { readPngText } from '../pictures/pngText.ts';
import type { StudioDeps } from './context.ts';
import { sortFiles } from './incoming.ts';
import { viewed } from './libraryView.ts';
import type { ConceptRecord } from './state.ts';
import { writeSafetensors } from '../lib/safetensors.ts';
import { fillIn, pixels, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

async function trained(overrides: Partial<StudioDeps> = {}) {
  const studio = await startStudio(overrides);
  await fillIn(studio);
  await studio.store.getState().train();
  return { ...studio, state: studio.store.getState };
}

describe('a card', () => {
  it('shows the newest picture with its recipe, and is the concept again when it is dropped', async () => {
    const card = vi.fn<StudioDeps['images']['card']>(() => Promise.resolve(pixels(7)));
    const decoded = { source: new Blob(['x']), width: 2, height: 2, transparent: false, animated: false };
    const images = {
      decode: () => Promise.resolve(decoded),
      square: () => Promise.resolve(pixels(9)),
      card,
    };
    const { state } = await trained({ images });
    state().edit({ prompt: 'A photo of {} at sea', count: 1 });
    await state().generate();
    const [concept] = state().concepts;
    const file = (await state().exportCard(concept!.id))!;
    expect(file.name).toBe('tin robot.png');
    expect(card.mock.calls[0]![1]).toEqual({ title: 'tin robot', text: 'A photo of tin robot at sea' });
    const png = await bytesOf(file);
    expect(conceptInPng(png)).toEqual(await bytesOf(concept!.file));
    expect(readPngText(png, 'parameters')).toMatch(/^A photo of \{\} at sea\n.*NeTI concept: tin robot/);
    expect((await sortFiles([file])).cards).toEqual([file]);
    expect(conceptInPng(png.subarray(0, png.length - 20))).toBeNull();
  });
});

describe('all concepts', () => {
  it('leave in one zip, each under a name of its own, and come back from it', async () => {
    const file = () => Promise.resolve(writeSafetensors(new Map(), new Map()));
    const { state } = await trained({ client: scriptedClient({ relabelConcept: file }) });
    await state().duplicateConcept(state().concepts[0]!.id);
    await state().relabelConcept(state().concepts[1]!.id, 'tin robot', '');
    const all = (await state().exportAll())!;
    const inside = unzip(await bytesOf(all), all.name);
    expect([...inside.keys()]).toEqual(['tin robot.safetensors', 'tin robot 2.safetensors']);
    await state().importConcepts([all]);
    expect([state().problems.library, state().concepts.length]).toEqual([[], 4]);
  });

  it('are copied whole, the copy being another one', async () => {
    const { state, storage } = await trained();
    const [concept] = state().concepts;
    await state().duplicateConcept(concept!.id);
    const copy = state().concepts[1]!;
    expect(copy).toMatchObject({ name: 'tin robot copy', step: concept!.step, pictures: concept!.pictures });
    expect(copy.id).not.toBe(concept!.id);
    expect(state().form.conceptId).toBe(copy.id);
    expect((await storage.concepts.list()).records).toHaveLength(2);
  });
});

describe('a link to a concept', () => {
  const hash = `#concept=${encodeURIComponent('https://example.org/robot.safetensors?x=1')}`;

  it('fetches nothing until it is told to', async () => {
    const fetchLink = vi.fn(() => Promise.resolve(new File(['file'], 'robot.safetensors')));
    const { store } = await startStudio({ fetchLink });
    const state = store.getState;
    state().offerAddress(hash);
    expect(state().offeredAddress).toBe('https://example.org/robot.safetensors?x=1');
    expect(fetchLink).not.toHaveBeenCalled();
    await state().answerAddress(true);
    expect(fetchLink).toHaveBeenCalledWith('https://example.org/robot.safetensors?x=1');
    expect([state().offeredAddress, state().concepts.length]).toEqual([null, 1]);
  });

  it('can be turned down, and says why when it fails', async () => {
    const { store } = await startStudio();
    const state = store.getState;
    state().offerAddress(hash);
    await state().answerAddress(false);
    expect([state().offeredAddress, state().problems.library]).toEqual([null, []]);
    state().offerAddress(hash);
    await state().answerAddress(true);
    expect(state().problems.library[0]?.message).toContain('could not be fetched from example.org');
  });

  it.each(['', '#concept=', '#concept=javascript:alert(1)', '#concept=file:///etc', '#other=https://a.b/c'])(
    '“%s” names none',
    async (other) => {
      const { store } = await startStudio();
      store.getState().offerAddress(other);
      expect(store.getState().offeredAddress).toBeNull();
    },
  );
});

describe('finding concepts', () => {
  const concept = (name: string, step: number, tags: string[] = []) =>
    ({
      name,
      category: 'toy',
      baseId: 'world',
      tags,
      step,
      created: `2026-01-0${step}`,
    }) as unknown as ConceptRecord;
  const all = [concept('Zoë 10', 1), concept('zoe 9', 3, ['blue', 'tin']), concept('Bär', 2, ['tin'])];
  const names = (query: string, order: Parameters<typeof viewed>[1]['order'] = 'newest') =>
    viewed(all, { query, order }).map(({ name }) => name);

  it.each([
    ['', ['zoe 9', 'Bär', 'Zoë 10']],
    ['zoe', ['zoe 9', 'Zoë 10']],
    ['TIN bar', ['Bär']],
    ['toy blue', ['zoe 9']],
    ['nothing', []],
  ])('“%s”', (query, found) => expect(names(query)).toEqual(found));

  it('in the order that is asked for', () => {
    expect(names('', 'name')).toEqual(['Bär', 'zoe 9', 'Zoë 10']);
    expect(names('', 'steps')).toEqual(['zoe 9', 'Bär', 'Zoë 10']);
    expect(names('', 'oldest')).toEqual(['Zoë 10', 'Bär', 'zoe 9']);
  });
});
