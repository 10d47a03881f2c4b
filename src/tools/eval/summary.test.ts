/** Means, bootstrap intervals and rank correlations of the evaluation. */
import { expect, it } from 'vitest';
import type { Cell } from './scoring.ts';
import { study } from './study.ts';
import { armRows, markdownTable, startDifferences, startTable, summarize } from './summary.ts';

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

it('two starts are compared after the same steps and after few against many', () => {
  const cells = [...cellsOf('neti'), ...cellsOf('xti')].filter(({ kept }) => kept === 128);
  const found = startDifferences(
    cells,
    ['neti', 'xti'],
    [
      [50, 50],
      [50, 150],
    ],
  );
  expect(found.map(({ steps }) => steps)).toEqual([
    [50, 50],
    [50, 150],
  ]);
  expect(found[0]!.likeness.value).toBeCloseTo(0.1, 6);
  expect(found[1]!.likeness.value).toBeCloseTo(0.1 - 0.01, 6);
  expect(found[1]!.prompt.value).toBeCloseTo(0.01, 6);
  const lines = startTable(armRows(cells), found).split('\n');
  expect(lines[0]).toBe(
    '| steps | likeness, neti | likeness, xti | prompt, neti | prompt, xti | likeness less | prompt less |',
  );
  expect(lines[3]).toContain('| 50, 150 | 0.768 | 0.678 |');
  expect(lines).toHaveLength(4);
});
