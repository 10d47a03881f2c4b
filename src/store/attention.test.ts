/** Where a picture's words look: asked for by the picture, kept by its id, cancelled, and refused with what to do. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import type { StudioClient } from '../worker/studioClient.ts';
import { fillIn, scriptedClient, startStudio } from './testing/scriptedStudio.ts';
import { attentionWords } from './words.ts';

async function drawn(overrides: Partial<StudioClient> = {}) {
  const client = scriptedClient(overrides);
  const studio = await startStudio({ client });
  await fillIn(studio);
  await studio.store.getState().train();
  studio.store.getState().edit({ prompt: 'A photo of {}', seed: '7', count: 1 });
  await studio.store.getState().generate();
  const state = studio.store.getState;
  return { state, id: state().results[0]!.id };
}

describe('where the words look', () => {
  it('is asked for with the picture’s own recipe and kept with it', async () => {
    const attention = vi.fn<StudioClient['attention']>((_, options) => {
      options?.onEvent?.({ step: 1, steps: 20, secondsLeft: 3 });
      return Promise.resolve({ side: 1, words: [{ text: '{}', map: Float32Array.of(0.25) }] });
    });
    const { state, id } = await drawn({ attention });
    const looking = state().lookAtWords(id);
    expect(state().looking).toMatchObject({ resultId: id, phase: 'running', step: 1 });
    await looking;
    expect(attention.mock.calls[0]![0]).toMatchObject({ prompt: 'A photo of {}', seeds: [7] });
    expect(state().attention[id]?.words).toEqual([{ text: '{}', map: Float32Array.of(0.25) }]);
    expect(state().looking).toBeNull();
  });

  it('can be cancelled, silently', async () => {
    const attention: StudioClient['attention'] = (_, options) =>
      new Promise((_resolve, reject) =>
        options!.signal!.addEventListener('abort', () => reject(new AppError('cancelled', 'no'))),
      );
    const { state, id } = await drawn({ attention });
    const looking = state().lookAtWords(id);
    state().stopLooking();
    await looking;
    expect([state().attention, state().looking, state().problems.create]).toEqual([{}, null, []]);
  });

  it('needs the concept', async () => {
    const { state, id } = await drawn();
    await state().deleteConcept(state().concepts[0]!.id);
    await state().lookAtWords(id);
    expect(state().problems.create[0]?.code).toBe('attention.gone');
  });
});

describe('a map in words', () => {
  const map = (place: number) => Float32Array.from({ length: 64 }, (_, i) => (i === place ? 6.4 : 0));
  it.each([
    [0, 'the top left'],
    [27, 'the middle'],
    [31, 'the right'],
    [60, 'the bottom'],
  ])('at place %i', (place, where) => {
    expect(attentionWords('robot', map(place), 8)).toBe(
      `“robot” has 10 % of the picture’s attention, most at ${where}.`,
    );
  });
});
