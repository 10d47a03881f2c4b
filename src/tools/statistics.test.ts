/** The statistics that the command lines print. */
import { expect, it } from 'vitest';
import { Random } from '../lib/random.ts';
import { bootstrap, meanInterval } from './statistics.ts';

it('the interval of a mean is that of the normal approximation', () => {
  const random = new Random(1);
  const values = Array.from({ length: 400 }, () => 5 + 2 * random.normal());
  const { value, low, high } = meanInterval(values, random);
  expect(value).toBeCloseTo(5, 0);
  // ±1.96 · 2 / √400.
  expect(high - low).toBeGreaterThan(0.3);
  expect(high - low).toBeLessThan(0.5);
  expect(low).toBeLessThan(value);
  expect(high).toBeGreaterThan(value);
});

it('equal observations have no spread, and a seed fixes the interval', () => {
  expect(meanInterval([3, 3, 3], new Random(1))).toEqual({ value: 3, low: 3, high: 3 });
  const sum = (indices: readonly number[]) => indices.reduce((a, b) => a + b, 0);
  expect(bootstrap(9, sum, new Random(2))).toEqual(bootstrap(9, sum, new Random(2)));
});
