/** The study's charts as SVG (Vega-Lite): the paper's scatter, convergence, truncation. */
import * as vega from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { MixedPair } from './mix.ts';
import type { Scored, Summary } from './summary.ts';
import { lastCheckpoint } from './study.ts';

const TITLES = { likeness: 'likeness to the given pictures', prompt: 'fit to the prompt' } as const;
type Side = keyof typeof TITLES;
const sides = Object.keys(TITLES) as Side[];

async function toSvg(spec: TopLevelSpec): Promise<string> {
  const config = { background: 'white', font: 'system-ui, sans-serif', axis: { grid: true, tickCount: 5 } };
  const runtime = vega.parse(compile({ ...spec, config }).spec);
  return `${await new vega.View(runtime, { renderer: 'none' }).toSVG()}\n`;
}

const flat = ({ likeness, prompt }: Scored) => ({
  likeness: likeness.value,
  likenessLow: likeness.low,
  likenessHigh: likeness.high,
  prompt: prompt.value,
  promptLow: prompt.low,
  promptHigh: prompt.high,
});

const axis = (field: string, title: string) =>
  ({ field, title, type: 'quantitative', scale: { zero: false } }) as const;

/** Image against text similarity of every variant at the last checkpoint, as the paper's figure 7. */
export function scatter({ arms }: Summary): Promise<string> {
  const values = arms
    .filter(({ step }) => step === lastCheckpoint)
    .map((row) => ({ variant: row.arm, ...flat(row) }));
  const [x, y] = [axis('prompt', TITLES.prompt), axis('likeness', TITLES.likeness)];
  const color = { field: 'variant', type: 'nominal', legend: null } as const;
  return toSvg({
    width: 420,
    height: 320,
    data: { values },
    layer: [
      { mark: 'rule', encoding: { x: { ...x, field: 'promptLow' }, x2: { field: 'promptHigh' }, y, color } },
      {
        mark: 'rule',
        encoding: { x, y: { ...y, field: 'likenessLow' }, y2: { field: 'likenessHigh' }, color },
      },
      { mark: { type: 'point', filled: true, size: 90 }, encoding: { x, y, color } },
      {
        mark: { type: 'text', align: 'left', dx: 8, dy: -8 },
        encoding: { x, y, color, text: { field: 'variant' } },
      },
    ],
  });
}

/** Both scores against training steps, a line an arm. */
export function convergence({ arms }: Pick<Summary, 'arms'>): Promise<string> {
  const values = arms.map((row) => ({ variant: row.arm, step: row.step, ...flat(row) }));
  return toSvg({
    data: { values },
    hconcat: sides.map((side) => ({
      width: 280,
      height: 240,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'step', type: 'ordinal', title: 'training steps', axis: { labelAngle: 0 } },
        y: axis(side, TITLES[side]),
        color: { field: 'variant', type: 'nominal', title: null },
      },
    })),
  });
}

/** Both scores against NeTI's kept hidden units, with intervals. */
export function truncationCurve({ truncation }: Summary): Promise<string> {
  const values = truncation.map((row) => ({ kept: row.kept, ...flat(row) }));
  const x = { field: 'kept', type: 'ordinal', title: 'hidden units kept', axis: { labelAngle: 0 } } as const;
  return toSvg({
    data: { values },
    hconcat: sides.map((side) => ({
      width: 280,
      height: 240,
      layer: [
        {
          mark: { type: 'area', opacity: 0.2 },
          encoding: { x, y: { ...axis(`${side}Low`, TITLES[side]) }, y2: { field: `${side}High` } },
        },
        { mark: { type: 'line', point: true }, encoding: { x, y: axis(side, TITLES[side]) } },
      ],
    })),
  });
}

/** Shape and colour likeness against the mixing start: a line a pair. */
export function mixingCurve(pairs: readonly MixedPair[]): Promise<string> {
  const values = pairs.flatMap(({ geometry, appearance, starts }) =>
    starts.map((each) => ({ pair: `${geometry} + ${appearance}`, ...each })),
  );
  const scores = {
    shape: 'shape of the geometry concept',
    colour: 'colours of the appearance concept',
  };
  return toSvg({
    data: { values },
    hconcat: Object.entries(scores).map(([field, title]) => ({
      width: 280,
      height: 240,
      mark: { type: 'line', point: true },
      encoding: {
        x: { field: 'start', type: 'quantitative', title: 'mixing start, %' },
        y: axis(field, title),
        color: { field: 'pair', type: 'nominal', title: null, legend: { labelLimit: 0 } },
      },
    })),
  });
}
