/** Pictures of one seed and two concepts that differ in the mixing start alone. */
import { keyOf } from '../storage/recipe.ts';
import type { ResultRecord } from './state.ts';

/** Equal for mixed pictures that differ in their mixing start alone; null for an unmixed one. */
function rowOf(result: ResultRecord): string | null {
  return result.mixing && keyOf({ ...result, mixing: { ...result.mixing, start: 0 } });
}

/** The results that belong in a row with `chosen`, by rising start, the newest where a start was made twice. */
export function sweepAround(results: readonly ResultRecord[], chosen: ResultRecord): ResultRecord[] {
  const row = rowOf(chosen);
  if (row === null) return [];
  const alike = results.filter((each) => rowOf(each) === row);
  const byStart = new Map(alike.map((each) => [each.mixing?.start ?? 0, each]));
  if (chosen.mixing) byStart.set(chosen.mixing.start, chosen);
  return [...byStart].sort(([a], [b]) => a - b).map(([, result]) => result);
}
