/** The chosen result as a scene of the likeness slider: everything that decides the picture but its truncation. */
import type { Scene } from './likeness.ts';
import type { ConceptRecord, ResultRecord, StudioState } from './state.ts';

export interface PictureScene extends Scene {
  readonly result: ResultRecord;
  readonly concept: ConceptRecord;
}

/** Null when the result is gone or was made without a concept that is still in the library. */
export function sceneOf(state: StudioState, resultId: string | null): PictureScene | null {
  const result = state.results.find((each) => each.id === resultId);
  const concept = state.concepts.find((each) => each.id === result?.conceptId);
  if (result === undefined || concept === undefined) return null;
  const { prompt, negativePrompt, seed, guidanceScale, sampler, steps } = result;
  const key = JSON.stringify([
    concept.id,
    concept.updated,
    prompt,
    negativePrompt,
    seed,
    guidanceScale,
    sampler,
  ]);
  return { key, steps, result, concept };
}
