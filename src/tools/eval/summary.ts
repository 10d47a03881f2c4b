/** From scored cells to what is reported: means over concepts with intervals, paired differences, the truncation curve. */
import { sampleRankCorrelation } from 'simple-statistics';
import { Random } from '../../lib/random.ts';
import type { VariantName } from '../../neti/variants.ts';
import { meanInterval, type Interval } from '../statistics.ts';
import type { Cell } from './scoring.ts';
import { lastCheckpoint, study } from './study.ts';

export interface Scored {
  readonly likeness: Interval;
  readonly prompt: Interval;
}

export interface VariantRow extends Scored {
  readonly variant: VariantName;
  readonly step: number;
}

export interface Summary {
  /** A row a variant and checkpoint, whole mapper. */
  readonly variants: readonly VariantRow[];
  /** NeTI less the other at the last checkpoint, concept by concept. */
  readonly differences: readonly (Scored & { readonly variant: VariantName })[];
  /** NeTI's last checkpoint by hidden units kept. */
  readonly truncation: readonly (Scored & { readonly kept: number })[];
  /** Spearman's rank correlation of kept units with the mean scores. */
  readonly truncationRank: { readonly likeness: number; readonly prompt: number };
}

const fullMapper = Math.max(...study.truncations);
const sides = ['likeness', 'prompt'] as const;

export function summarize(cells: readonly Cell[]): Summary {
  const variants = [...new Set(cells.map(({ variant }) => variant))];
  const at = (variant: VariantName, step: number, kept = fullMapper) =>
    cells
      .filter((cell) => cell.variant === variant && cell.step === step && cell.kept === kept)
      .sort((a, b) => a.concept.localeCompare(b.concept));
  const neti = at('neti', lastCheckpoint);
  const truncation = study.truncations.map((kept) => ({
    kept,
    ...scored((side) => at('neti', lastCheckpoint, kept).map((cell) => cell[side])),
  }));
  const rank = (side: (typeof sides)[number]) =>
    sampleRankCorrelation(
      truncation.map(({ kept }) => kept),
      truncation.map((point) => point[side].value),
    );
  return {
    variants: variants.flatMap((variant) =>
      study.checkpoints.map((step) => ({
        variant,
        step,
        ...scored((side) => at(variant, step).map((cell) => cell[side])),
      })),
    ),
    differences: variants
      .filter((variant) => variant !== 'neti')
      .map((variant) => {
        const other = at(variant, lastCheckpoint);
        return { variant, ...scored((side) => neti.map((cell, i) => cell[side] - other[i]![side])) };
      }),
    truncation,
    truncationRank: { likeness: rank('likeness'), prompt: rank('prompt') },
  };
}

/** Means over concepts, with the interval that drawing other concepts would give. */
function scored(values: (side: (typeof sides)[number]) => readonly number[]): Scored {
  const interval = (side: (typeof sides)[number]) => meanInterval(values(side), new Random(0));
  return { likeness: interval('likeness'), prompt: interval('prompt') };
}

/** A line a variant at the last checkpoint, for models/README.md. */
export function markdownTable({ variants, differences }: Summary): string {
  const show = ({ value, low, high }: Interval) =>
    `${value.toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})`;
  const rows = variants
    .filter(({ step }) => step === lastCheckpoint)
    .map(({ variant, likeness, prompt }) => {
      const less = differences.find((each) => each.variant === variant);
      const cells = [
        variant,
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
