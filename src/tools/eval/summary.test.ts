/** Means, bootstrap intervals and rank correlations of the evaluation. */
import { expect, it } from 'vitest';
import type { Cell } from './scoring.ts';
import { study } from './study.ts';
import { markdownTable, summarize } from './summary.ts';

const BASE = { neti: 0.8, xti: 0.7 } as const;

/** Concept `b` is 0.1 harder than `a` for everyone; likeness grows with steps and kept units, prompt falls. */
function cellsOf(arm: 'neti' | 'xti'): Cell[] {
  return ['b', 'a'].flatMap((concept) => {
    const harder = concept === 'b' ? 0.1 : 0;
    const cell = (step: number, kept: number): Cell => {
      const gain = (step + kept) / 10_000;
      return { arm, concept, step, kept, likeness: BASE[arm] - harder + gain, prompt: 0.5 - gain };
    };
    const truncated = study.truncations.slice(0, -1).map((kept) => cell(150, kept));
    return [...study.checkpoints.map((step) => cell(step, 128)), ...(arm === 'neti' ? truncated : [])];
  });
}

const summary = summarize([...cellsOf('neti'), ...cellsOf('xti')]);

it('means are over concepts', () => {
  const row = summary.arms.find(({ arm, step }) => arm === 'xti' && step === 150);
  expect(row!.likeness.value).toBeCloseTo(0.65 + 0.0278, 6);
  expect(row!.likeness.high - row!.likeness.low).toBeCloseTo(0.1, 6);
});

it('differences are paired: what is hard for both does not count', () => {
  const [{ arm, likeness }] = summary.differences as [(typeof summary.differences)[0]];
  expect(arm).toBe('xti');
  expect(likeness.value).toBeCloseTo(0.1, 6);
  expect(likeness.high - likeness.low).toBeCloseTo(0, 6);
});

it('the truncation curve has every count, and its ranks', () => {
  expect(summary.truncation.map(({ kept }) => kept)).toEqual([...study.truncations]);
  expect(summary.truncationRank.likeness).toBeCloseTo(1, 6);
  expect(summary.truncationRank.prompt).toBeCloseTo(-1, 6);
});

it('the table has a line a variant', () => {
  expect(
    markdownTable(summary)
      .split('\n')
      .slice(2)
      .map((line) => line.split(' | ')[0]),
  ).toEqual(['| neti', '| xti']);
});
