/** The map on the page: read once a file, and pictures drawn again with a part of the concept in focus. */
import { expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { pictureOfConcept } from './spaceTimeSlice.ts';
import { fillIn, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

const focus = { fromTimestep: 900, toTimestep: 500, fromLayer: 2, toLayer: 4, outside: 'frozen' } as const;

/** A studio with a concept and a picture of it. */
async function withPicture(overrides: Parameters<typeof scriptedClient>[0] = {}) {
  const client = { generate: vi.fn(scriptedClient().generate), spaceTime: vi.fn(scriptedClient().spaceTime) };
  const studio = await startStudio({ client: scriptedClient({ ...client, ...overrides }) });
  await fillIn(studio);
  await studio.store.getState().train();
  studio.store.getState().edit({ seed: '5', count: 1 });
  await studio.store.getState().generate();
  const concept = studio.store.getState().concepts[0]!;
  return { ...studio, ...client, concept, picture: studio.store.getState().results[0]! };
}

it('is read once for a file, and again after a failure, which is shown', async () => {
  const { store, spaceTime, concept } = await withPicture();
  const read = () => store.getState().readSpaceTime(concept.file, concept.file);
  expect(await read()).toBe(await read());
  expect(spaceTime).toHaveBeenCalledTimes(1);
  const failing = await withPicture({
    spaceTime: () => Promise.reject(new AppError('map.vectors', 'Several.')),
  });
  const { file } = failing.concept;
  expect(await failing.store.getState().readSpaceTime(file, file)).toBeNull();
  expect(failing.store.getState().problems.training[0]).toMatchObject({ code: 'map.vectors' });
});

it('draws a part in focus on the same seed, a draft first, and keeps the picture once when asked to', async () => {
  const { store, storage, generate, picture } = await withPicture();
  store.getState().showFocus(picture, focus);
  await vi.waitFor(() => expect(store.getState().focused?.quality).toBe('full'));
  const asked = generate.mock.calls.slice(1).map(([{ seeds, steps, focus: part }]) => [seeds, steps, part]);
  expect(asked).toEqual([
    [[5], 6, focus],
    [[5], 20, focus],
  ]);
  expect(store.getState().results).toEqual([picture].map((each) => expect.objectContaining({ id: each.id })));
  await store.getState().keepFocused();
  await store.getState().keepFocused();
  const { records } = await storage.results.list();
  expect(records.map((each) => each.focus)).toEqual([null, focus]);
});

it('goes back to the form as it was drawn, and the map goes on from the whole picture', async () => {
  const { store, picture, concept } = await withPicture();
  store.getState().showFocus(picture, focus);
  await vi.waitFor(() => expect(store.getState().focused?.quality).toBe('full'));
  await store.getState().keepFocused();
  const kept = store.getState().results[1]!;
  expect(store.getState().chosenResultId).toBe(kept.id);
  store.getState().reuseResult(kept.id);
  expect(store.getState().form.focus).toEqual(focus);
  expect(pictureOfConcept(store.getState(), concept.id)?.id).toBe(picture.id);
  expect(pictureOfConcept(store.getState(), 'another')).toBeNull();
});
