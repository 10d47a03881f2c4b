/** Pictures of one seed and two concepts that differ in the mixing start alone. */
import type { ResultRecord } from './state.ts';

/** All that decides a mixed picture but its mixing start; null for an unmixed one. */
function keyOf({
  mixing,
  conceptId,
  prompt,
  negativePrompt,
  seed,
  steps,
  guidanceScale,
  truncation,
  sampler,
}: ResultRecord) {
  return (
    mixing &&
    JSON.stringify([
      ...[conceptId, mixing.conceptId, prompt, negativePrompt],
      ...[seed, steps, guidanceScale, truncation, sampler],
    ])
  );
}

/** The results that belong in a row with `chosen`, by rising start, the newest where a start was made twice. */
export function sweepAround(results: readonly ResultRecord[], chosen: ResultRecord): ResultRecord[] {
  const key = keyOf(chosen);
  if (key === null) return [];
  const alike = results.filter((each) => keyOf(each) === key);
  const byStart = new Map(alike.map((each) => [each.mixing?.start ?? 0, each]));
  if (chosen.mixing) byStart.set(chosen.mixing.start, chosen);
  return [...byStart].sort(([a], [b]) => a - b).map(([, result]) => result);
}
