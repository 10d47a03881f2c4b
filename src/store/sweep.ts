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

/** Pictures of one row, of which one stands for all in the gallery. */
export interface Stack {
  readonly shown: ResultRecord;
  readonly count: number;
}

/** Rows as stacks in the order of their first pictures; a mixed picture lies in the row of its mixing starts. What no row shows stands alone. */
export function stacked(results: readonly ResultRecord[], chosen: ResultRecord): Stack[] {
  const rows = new Map<string, Map<number | null, ResultRecord>>();
  for (const result of results) {
    const field = result.mixing ? 'mixing' : 'truncation';
    const value = sweptValue(result, field);
    const name = value === null ? result.id : rowOf(result, field);
    const row = rows.get(name) ?? new Map<number | null, ResultRecord>();
    // The newest of two alike comes first, and is the one in the row.
    if (row.has(value)) rows.set(result.id, new Map([[value, result]]));
    else rows.set(name, row.set(value, result));
  }
  return [...rows.values()].map((row) => {
    const pictures = [...row.values()];
    return { shown: pictures.find((each) => each === chosen) ?? pictures[0]!, count: pictures.length };
  });
}

/** Whether a result shows the concepts as they are now: training further changes them under the same id. */
export function isCurrent({ created }: ResultRecord, concepts: readonly ConceptRecord[]): boolean {
  return concepts.every(({ updated }) => updated <= created);
}
