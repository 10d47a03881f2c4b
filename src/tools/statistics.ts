/** Bootstrap intervals: how far a figure may be off, from the spread of what it was computed from. */
import { mean, quantileSorted } from 'simple-statistics';
import type { Random } from '../lib/random.ts';

/** A figure with its 95 % interval. */
export interface Interval {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 2000;

/**
 * Percentile bootstrap of `statistic` over `count` observations.
 * @param statistic of the observations with these indices, which may repeat.
 */
export function bootstrap(
  count: number,
  statistic: (indices: readonly number[]) => number,
  random: Random,
): Interval {
  const all = Array.from({ length: count }, (_, i) => i);
  const found = Array.from({ length: RESAMPLES }, () => statistic(all.map(() => random.int(count))));
  found.sort((a, b) => a - b);
  return { value: statistic(all), low: quantileSorted(found, 0.025), high: quantileSorted(found, 0.975) };
}

/** The mean of `values` with its bootstrap interval. */
export function meanInterval(values: readonly number[], random: Random): Interval {
  return bootstrap(values.length, (indices) => mean(indices.map((i) => values[i]!)), random);
}
