/** The chosen result as a scene of the likeness slider: everything that decides the picture but its truncation. */
import type { Scene } from './likeness.ts';
import { isUsable } from './openBase.ts';
import { isPlain, type Cast } from './order.ts';
import type { ResultRecord, StudioState } from './state.ts';

export interface PictureScene extends Scene {
  readonly result: ResultRecord;
  readonly cast: Cast;
}

/**
 * Null when the result is gone, or was made without a concept, with one that has left the library, on another base, or with
 * textual inversions alone, of which no truncation makes another picture.
 */
export function sceneOf(state: StudioState, resultId: string | null): PictureScene | null {
  const result = state.results.find((each) => each.id === resultId);
  const concept = state.concepts.find((each) => each.id === result?.conceptId);
  if (result === undefined || concept === undefined || !isUsable(state, concept)) return null;
  const { mixing } = result;
  const appearance = state.concepts.find((each) => each.id === mixing?.conceptId) ?? null;
  if (mixing !== null && appearance === null) return null;
  const cast = { concept, appearance };
  if (isPlain(cast)) return null;
  const { prompt, negativePrompt, seed, guidanceScale, sampler, steps } = result;
  const key = JSON.stringify([
    concept.id,
    concept.updated,
    prompt,
    negativePrompt,
    seed,
    guidanceScale,
    sampler,
    mixing,
    appearance?.updated,
  ]);
  return { key, steps, result, cast };
}
