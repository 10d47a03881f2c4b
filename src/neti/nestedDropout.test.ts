/** How many hidden units a step keeps: their distribution and their sharing. */
import { describe, expect, it } from 'vitest';
import { Random } from '../lib/random.ts';
import { nestedDropoutKeep } from './nestedDropout.ts';

const SHAPE = { layers: 16, microBatches: 4, pictures: 2, hidden: 128, probability: 0.5 };

describe('nestedDropoutKeep', () => {
  it('throws one coin for each (layer, micro-batch): its rows are struck together', () => {
    const random = new Random(1);
    let struck = 0;
    for (let step = 0; step < 200; step++) {
      const keep = nestedDropoutKeep(random, SHAPE);
      expect(keep.length).toBe(128);
      for (let call = 0; call < 64; call++) {
        const [first, second] = [keep[2 * call]! < 128, keep[2 * call + 1]! < 128];
        expect(first).toBe(second);
        if (first) struck++;
      }
    }
    expect(struck / (200 * 64)).toBeCloseTo(0.5, 1.5);
  });

  it('draws k uniformly from 0 … 127, independently for each row', () => {
    const keep = nestedDropoutKeep(new Random(2), { ...SHAPE, probability: 1, microBatches: 1000 });
    expect(Math.min(...keep)).toBe(0);
    expect(Math.max(...keep)).toBe(127);
    const mean = keep.reduce((sum, k) => sum + k, 0) / keep.length;
    expect(Math.abs(mean - 63.5)).toBeLessThan(0.8);
    const equalPairs = keep.filter((k, i) => i % 2 === 0 && k === keep[i + 1]).length / (keep.length / 2);
    expect(equalPairs).toBeLessThan(0.02);
  });

  it('drops nothing at probability 0', () => {
    expect(new Set(nestedDropoutKeep(new Random(3), { ...SHAPE, probability: 0 }))).toEqual(new Set([128]));
  });
});
