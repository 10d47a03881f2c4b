/** The row of pictures around one: what belongs in it, and what the truncation's range draws of it. */
import { describe, expect, it } from 'vitest';
import { newestFirst } from './results.ts';
import { stacked, sweepAround } from './sweep.ts';
import { fillIn, recordingGenerate, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

const STOPS = [1, 4, 16, 32, 64, 96, 128];

/** A studio with two pictures of a concept, the first chosen, and the requests its worker gets. */
async function withTwoPictures() {
  const { requests, generate } = recordingGenerate();
  const client = scriptedClient({ generate });
  const studio = await startStudio({ client });
  await fillIn(studio);
  await studio.store.getState().train();
  studio.store.getState().edit({ seed: '5', count: 2 });
  await studio.store.getState().generate();
  requests.length = 0;
  return {
    ...studio,
    requests,
    row: () => sweepAround(studio.store.getState().results, chosen(), 'truncation'),
  };
  function chosen() {
    const { results, chosenResultId } = studio.store.getState();
    return results.find(({ id }) => id === chosenResultId)!;
  }
}

describe('the range of truncations', () => {
  it('is drawn on the chosen seed but for what is there, and leaves the picture chosen', async () => {
    const { store, requests, row } = await withTwoPictures();
    const { chosenResultId } = store.getState();
    await store.getState().sweepTruncation();
    expect(requests.map(({ truncation, seeds }) => [truncation, seeds])).toEqual(
      STOPS.slice(0, -1).map((stop) => [stop, [5]]),
    );
    expect(row().map(({ truncation }) => truncation)).toEqual(STOPS);
    expect(store.getState().chosenResultId).toBe(chosenResultId);
  });

  it('draws nothing twice, and shows a stop of the slider without a render', async () => {
    const { store, requests, row } = await withTwoPictures();
    await store.getState().sweepTruncation();
    const { length } = requests;
    await store.getState().sweepTruncation();
    expect(requests).toHaveLength(length);
    store.getState().setTruncation(32);
    expect(store.getState().live).toMatchObject({ truncation: 32, quality: 'full' });
    store.getState().chooseResult(row()[1]!.id);
    expect(store.getState().form.truncation).toBe(4);
  });

  it('is drawn anew once the concept has learned more', async () => {
    const { store, requests } = await withTwoPictures();
    await store.getState().sweepTruncation();
    await store.getState().trainFurther(store.getState().concepts[0]!.id);
    requests.length = 0;
    await store.getState().sweepTruncation();
    expect(requests.map(({ truncation }) => truncation)).toEqual(STOPS);
  });
});

describe('the gallery', () => {
  it('has a row once, by its chosen picture, and all that no row shows', async () => {
    const { store } = await withTwoPictures();
    await store.getState().sweepTruncation();
    const { results } = store.getState();
    const stacks = (chosen: number) =>
      stacked(newestFirst(results), results[chosen]!).map(({ shown, count }) => [
        shown.truncation,
        shown.seed,
        count,
      ]);
    expect(stacks(0).toSorted()).toEqual([
      [128, 5, 7],
      [128, 6, 1],
    ]);
    expect(stacks(3).map(([truncation]) => truncation)).toContain(results[3]!.truncation);
    const again = { ...results[0]!, id: 'again', created: '2100-01-01T00:00:00.000Z' };
    const both = stacked(newestFirst([...results, again]), again);
    expect(both.map(({ shown, count }) => [shown.id, count])).toEqual(
      expect.arrayContaining([
        ['again', 7],
        [results[0]!.id, 1],
      ]),
    );
  });
});
