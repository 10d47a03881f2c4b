/** The chosen result as a series: the pictures that differ from it in their truncation alone, which the slider goes through. */
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { keyOf } from '../storage/recipe.ts';
import {
  allOf,
  chosenConcepts,
  conceptsOf,
  hiddenUnits,
  isPlain,
  type PictureConcepts,
} from './pictureConcepts.ts';
import type { ResultRecord, StudioState } from './state.ts';
import type { Series } from './truncationRenders.ts';

export interface PictureSeries extends Series {
  readonly result: ResultRecord;
  readonly concepts: PictureConcepts;
}

/**
 * Null when the result is gone, or was made without a concept, with one that has left the library, on another base, or with
 * textual inversions alone, of which no truncation makes another picture.
 */
export function seriesOf(state: StudioState, resultId: string | null): PictureSeries | null {
  const result = state.results.find((each) => each.id === resultId);
  return result === undefined ? null : seriesAround(state, result);
}

/** The same of a picture that need not be among the results. */
export function seriesAround(state: StudioState, result: ResultRecord): PictureSeries | null {
  const concepts = conceptsOf(state, result);
  if (concepts === null || allOf(concepts).length === 0 || isPlain(concepts)) return null;
  // Training further changes a concept's pictures under the same id.
  const trained = allOf(concepts).map(({ updated }) => updated);
  const key = JSON.stringify([keyOf(result, 'truncation', 'steps'), trained]);
  return {
    key,
    steps: result.steps,
    result,
    concepts,
    hidden: hiddenUnits(concepts) ?? MAPPER_DEFAULTS.hidden,
  };
}

/** Whether the slider has nothing to truncate: neither a series of pictures nor a concept that is more than a plain word. */
export function isSliderIdle(state: StudioState): boolean {
  return isPlain(chosenConcepts(state)) && seriesOf(state, state.chosenResultId) === null;
}

/** Most hidden units that the slider can keep: of the chosen result's concepts and of those that the form chooses. */
export function sliderUnits(state: StudioState): number {
  const series = seriesOf(state, state.chosenResultId);
  const units = [series?.hidden ?? null, hiddenUnits(chosenConcepts(state))].filter((each) => each !== null);
  return units.length === 0 ? MAPPER_DEFAULTS.hidden : Math.max(...units);
}
