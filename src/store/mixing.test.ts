/** Two concepts mixed: what reaches the worker, what is kept, and the sweep over the mixing start. */
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { SWEPT_STARTS } from './order.ts';
import { sweepAround } from './sweep.ts';
import { recordingGenerate, scriptedClient, startStudio, teachAll } from './testing/scriptedStudio.ts';

/** A studio with two concepts, the second chosen, and the requests its worker gets. */
async function withTwoConcepts() {
  const { requests, generate } = recordingGenerate();
  const client = scriptedClient({ generate });
  const studio = await startStudio({ client });
  await teachAll(studio, ['tin robot', 'teapot']);
  const [robot, teapot] = studio.store.getState().concepts;
  studio.store
    .getState()
    .edit({ conceptId: robot!.id, appearanceId: teapot!.id, mixingStart: 40, seed: '5', count: 1 });
  return { ...studio, requests, robot: robot!, teapot: teapot! };
}

describe('mixing two concepts', () => {
  it('sends both to the worker and keeps both in the result and its PNG', async () => {
    const { store, requests, teapot } = await withTwoConcepts();
    await store.getState().generate();
    expect(requests).toHaveLength(1);
    const { mixing } = requests[0]!;
    expect([mixing!.appearance.file, mixing!.start]).toEqual([teapot.file, 0.4]);
    const result = store.getState().results[0]!;
    expect(result.mixing).toEqual({ conceptId: teapot.id, conceptName: 'teapot', start: 40 });
    const { text } = decode(new Uint8Array(await result.picture.arrayBuffer()));
    expect(text['parameters']).toContain('NeTI appearance: teapot, NeTI mixing start: 40%');
  });

  it('mixes nothing when both are the same concept', async () => {
    const { store, requests, robot } = await withTwoConcepts();
    store.getState().edit({ appearanceId: robot.id });
    await store.getState().generate();
    expect(requests[0]!.mixing).toBeNull();
    expect(store.getState().results[0]!.mixing).toBeNull();
  });

  it('sweeps the start on one seed, and shows the pictures in a row', async () => {
    const { store, requests } = await withTwoConcepts();
    store.getState().edit({ count: 4 });
    await store.getState().sweepMixing();
    expect(requests.map(({ mixing }) => 100 * mixing!.start)).toEqual(SWEPT_STARTS);
    expect(requests.every(({ seeds }) => seeds.length === 1 && seeds[0] === 5)).toBe(true);
    const { results } = store.getState();
    expect(sweepAround(results, results[3]!, 'mixing').map(({ mixing }) => mixing!.start)).toEqual(
      SWEPT_STARTS,
    );
    expect(store.getState().generation).toBeNull();
  });

  it('keeps what a sweep has made when it is cancelled', async () => {
    const { store } = await withTwoConcepts();
    store.subscribe(({ results, cancelGeneration }) => results.length === 2 && cancelGeneration());
    await store.getState().sweepMixing();
    expect(store.getState().results.map(({ mixing }) => mixing!.start)).toEqual(SWEPT_STARTS.slice(0, 2));
    expect(store.getState().generation).toBeNull();
  });

  it('says what is missing for a sweep', async () => {
    const { store } = await withTwoConcepts();
    store.getState().edit({ appearanceId: null });
    await store.getState().sweepMixing();
    expect(store.getState().problems.create[0]?.message).toContain('two different concepts');
  });

  it('takes geometry, appearance and start over from a result', async () => {
    const { store, teapot } = await withTwoConcepts();
    await store.getState().generate();
    store.getState().edit({ appearanceId: null, mixingStart: 0 });
    store.getState().reuseResult(store.getState().results[0]!.id);
    expect(store.getState().form).toMatchObject({ appearanceId: teapot.id, mixingStart: 40 });
  });
});
