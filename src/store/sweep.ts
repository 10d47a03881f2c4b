/** Sweeps: rows of pictures of one seed that differ in one setting alone, which is what its slider goes through. */
import { keyOf } from '../storage/recipe.ts';
import type { ConceptRecord, ResultRecord } from './state.ts';

/** What a sweep goes through: the truncation, or the share of the sampling before two concepts are mixed. */
export type SweptField = 'truncation' | 'mixing';

/** The swept setting of a picture; null for a picture that has none. */
export function sweptValue(result: ResultRecord, field: SweptField): number | null {
  if (field === 'mixing') return result.mixing?.start ?? null;
  return result.conceptId === null && result.named.length === 0 ? null : result.truncation;
}

/** Equal for pictures that differ in the swept setting alone. */
function rowOf(result: ResultRecord, field: SweptField): string {
  return field === 'truncation'
    ? keyOf(result, 'truncation')
    : keyOf({ ...result, mixing: result.mixing && { ...result.mixing, start: 0 } });
}

/** The results that belong in a row with `chosen`, by rising value, the newest where one was made twice. */
export function sweepAround(
  results: readonly ResultRecord[],
  chosen: ResultRecord,
  field: SweptField,
): ResultRecord[] {
  if (sweptValue(chosen, field) === null) return [];
  const row = rowOf(chosen, field);
  const alike = results.filter((each) => rowOf(each, field) === row);
  const byValue = new Map([...alike, chosen].map((each) => [sweptValue(each, field)!, each]));
  return [...byValue].sort(([a], [b]) => a - b).map(([, result]) => result);
}

/** Whether a result shows the concepts as they are now: training further changes them under the same id. */
export function isCurrent({ created }: ResultRecord, concepts: readonly ConceptRecord[]): boolean {
  return concepts.every(({ updated }) => updated <= created);
}
