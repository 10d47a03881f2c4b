/** From scored cells to what is reported: means over concepts with intervals, paired differences, the truncation curve. */
import { sampleRankCorrelation } from 'simple-statistics';
import { Random } from '../../lib/random.ts';
import { meanInterval, type Interval } from '../statistics.ts';
import type { Cell } from './scoring.ts';
import { lastCheckpoint, study } from './study.ts';

export interface Scored {
  readonly likeness: Interval;
  readonly prompt: Interval;
}

export interface ArmRow extends Scored {
  readonly arm: string;
  readonly step: number;
}

export interface Summary {
  readonly arms: readonly ArmRow[];
  /** NeTI less the other at the last checkpoint, concept by concept. */
  readonly differences: readonly (Scored & { readonly arm: string })[];
  /** NeTI's last checkpoint by hidden units kept. */
  readonly truncation: readonly (Scored & { readonly kept: number })[];
  /** Spearman's rank correlation of kept units with the mean scores. */
  readonly truncationRank: { readonly likeness: number; readonly prompt: number };
}

const fullMapper = Math.max(...study.truncations);
type Side = 'likeness' | 'prompt';

/** The cells of an arm at a step, one a concept, in the same order for every arm. */
function cellsAt(cells: readonly Cell[], arm: string, step: number, kept = fullMapper): Cell[] {
  return cells
    .filter((cell) => cell.arm === arm && cell.step === step && cell.kept === kept)
    .sort((a, b) => a.concept.localeCompare(b.concept));
}

const stepsOf = (cells: readonly Cell[], arm: string) =>
  [...new Set(cells.filter((cell) => cell.arm === arm).map(({ step }) => step))].sort((a, b) => a - b);

const armsOf = (cells: readonly Cell[]) => [...new Set(cells.map(({ arm }) => arm))];

/** A row an arm and checkpoint, whole mapper. */
export function armRows(cells: readonly Cell[]): ArmRow[] {
  return armsOf(cells).flatMap((arm) =>
    stepsOf(cells, arm).map((step) => ({
      arm,
      step,
      ...scored((side) => cellsAt(cells, arm, step).map((cell) => cell[side])),
    })),
  );
}

export function summarize(cells: readonly Cell[]): Summary {
  const truncation = study.truncations.map((kept) => ({
    kept,
    ...scored((side) => cellsAt(cells, 'neti', lastCheckpoint, kept).map((cell) => cell[side])),
  }));
  const rank = (side: Side) =>
    sampleRankCorrelation(
      truncation.map(({ kept }) => kept),
      truncation.map((point) => point[side].value),
    );
  return {
    arms: armRows(cells),
    differences: armsOf(cells)
      .filter((arm) => arm !== 'neti')
      .map((arm) => differences(cells, arm)),
    truncation,
    truncationRank: { likeness: rank('likeness'), prompt: rank('prompt') },
  };
}

function differences(cells: readonly Cell[], arm: string): Summary['differences'][number] {
  const step = lastCheckpoint;
  return { arm, ...pairedDifference(cells, { arm: 'neti', step }, { arm, step }) };
}

/** Of which arm, after how many steps. */
export type Place = Pick<ArmRow, 'arm' | 'step'>;

/** The first's scores less the second's, concept by concept. */
export function pairedDifference(cells: readonly Cell[], first: Place, second: Place): Scored {
  const [own, other] = [first, second].map(({ arm, step }) => cellsAt(cells, arm, step));
  return scored((side) => own!.map((cell, i) => cell[side] - other![i]![side]));
}

/** Means over concepts, with the interval that drawing other concepts would give. */
function scored(values: (side: Side) => readonly number[]): Scored {
  const interval = (side: Side) => meanInterval(values(side), new Random(0));
  return { likeness: interval('likeness'), prompt: interval('prompt') };
}

const show = ({ value, low, high }: Interval) => `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;

/** The first arm's scores less the second's, paired by concept: after the same steps, and after few against many. */
export interface StartDifference extends Scored {
  readonly steps: readonly [number, number];
}

export function startDifferences(
  cells: readonly Cell[],
  [first, second]: readonly [string, string],
  steps: StartDifference['steps'][],
): StartDifference[] {
  return steps.map(([own, other]) => ({
    steps: [own, other],
    ...pairedDifference(cells, { arm: first, step: own }, { arm: second, step: other }),
  }));
}

/** A line a pair of numbers of steps: each arm's scores after its own, and the difference. */
export function startTable(rows: readonly ArmRow[], differences: readonly StartDifference[]): string {
  const arms = [...new Set(rows.map(({ arm }) => arm))];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const lines = differences.map(({ steps, likeness, prompt }) => {
    const pair = arms.map((arm, i) => rows.find((row) => row.arm === arm && row.step === steps[i])!);
    const means = [...pair.map((row) => row.likeness), ...pair.map((row) => row.prompt)];
    const shown = means.map(({ value }) => value.toFixed(3));
    return line([steps.join(', '), ...shown, show(likeness), show(prompt)]);
  });
  const head = ['likeness', 'prompt'].flatMap((score) => arms.map((arm) => `${score}, ${arm}`));
  const heads = ['steps', ...head, 'likeness less', 'prompt less'];
  return [line(heads), line(heads.map(() => '---')), ...lines].join('\n');
}

/** A line an arm at the last checkpoint, for models/README.md. */
export function markdownTable({ arms, differences }: Summary): string {
  const rows = arms
    .filter(({ step }) => step === lastCheckpoint)
    .map(({ arm, likeness, prompt }) => {
      const less = differences.find((each) => each.arm === arm);
      const cells = [
        arm,
        show(likeness),
        show(prompt),
        less ? show(less.likeness) : '',
        less ? show(less.prompt) : '',
      ];
      return `| ${cells.join(' | ')} |`;
    });
  const head = '| variant | likeness | prompt | NeTI’s likeness less its | NeTI’s prompt less its |';
  return [head, '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}
