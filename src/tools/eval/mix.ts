/**
 * Style mixing measured: the study's concepts in pairs, next neighbours by name, the first giving the geometry. Over a
 * sweep of mixing starts, how much of the first's shape and of the second's colours is there?
 */
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { readFile } from 'node:fs/promises';
import { mean, sampleRankCorrelation } from 'simple-statistics';
import type { Judge } from '../../diffusion/judge.ts';
import type { Pipeline } from '../../diffusion/pipeline.ts';
import type { PromptContexts } from '../../diffusion/sampling.ts';
import { cosine } from '../../lib/numbers.ts';
import type { Bridge } from '../../neti/bridge.ts';
import { readConcept } from '../../neti/conceptFile.ts';
import { conceptContexts } from '../../neti/contexts.ts';
import { Mapper } from '../../neti/mapper.ts';
import { coarseLayers, mixContexts } from '../../neti/mixing.ts';
import { pngPlanes } from '../../pictures/pngPlanes.ts';
import { colourHistogram, intersection } from './colours.ts';
import { drawPictures, schedulerOf } from './drawing.ts';
import { conceptFile } from './study.ts';

export const MIXING_STUDY = {
  /** A plain ground, so that the thing's colours can be told from it. */
  prompt: 'A photo of {} on a white background',
  /** Shares of the sampling that the geometry concept has to itself, in %. */
  starts: [0, 20, 40, 60, 80, 100],
  seeds: [1, 2, 3, 4],
  pairs: 6,
} as const;

export interface MixedStart {
  readonly start: number;
  /** Mean cosine, without colours, to the geometry concept's pictures. */
  readonly shape: number;
  /** Mean intersection of colour histograms with the appearance concept's pictures. */
  readonly colour: number;
}

export interface MixedPair {
  readonly geometry: string;
  readonly appearance: string;
  readonly starts: readonly MixedStart[];
  /** Spearman's rank correlation of the start with either. */
  readonly shapeRank: number;
  readonly colourRank: number;
}

/** Planes [S, 3, R, R] at each start. */
export type Sweep = readonly Float32Array[];

export interface MixingTools {
  readonly pipeline: Pipeline;
  readonly bridge: Bridge;
  readonly judge: Judge;
  /** Where the concepts were learned (learn.ts). */
  readonly out: string;
}

/** Pairs of neighbours. */
export function pairsOf(concepts: readonly SampleConcept[]): [SampleConcept, SampleConcept][] {
  const pairs = Math.min(MIXING_STUDY.pairs, Math.floor(concepts.length / 2));
  return Array.from({ length: pairs }, (_, i) => [concepts[2 * i]!, concepts[2 * i + 1]!]);
}

/** The pictures of one pair, and what is measured on them. */
export async function mixPair(
  tools: MixingTools,
  geometry: SampleConcept,
  appearance: SampleConcept,
): Promise<{ pair: MixedPair; sweep: Sweep }> {
  const sweep = await drawSweep(tools, geometry, appearance);
  const starts: MixedStart[] = [];
  for (const [i, start] of MIXING_STUDY.starts.entries())
    starts.push({ start, ...(await measure(tools, sweep[i]!, geometry, appearance)) });
  const rank = (side: 'shape' | 'colour') =>
    sampleRankCorrelation(
      starts.map(({ start }) => start),
      starts.map((each) => each[side]),
    );
  const names = { geometry: geometry.folder, appearance: appearance.folder };
  return { pair: { ...names, starts, shapeRank: rank('shape'), colourRank: rank('colour') }, sweep };
}

async function drawSweep(
  tools: MixingTools,
  geometry: SampleConcept,
  appearance: SampleConcept,
): Promise<Sweep> {
  const { pipeline } = tools;
  const { timesteps } = schedulerOf(pipeline);
  const plan = {
    geometry: await contextsOf(tools, geometry, timesteps),
    appearance: await contextsOf(tools, appearance, timesteps),
    coarse: coarseLayers(pipeline.shape.positions),
    timesteps,
  };
  const sweep: Float32Array[] = [];
  for (const start of MIXING_STUDY.starts) {
    const mixed = mixContexts({ ...plan, start: (1 - start / 100) * pipeline.schedule.timesteps });
    sweep.push(await drawPictures(pipeline, mixed, MIXING_STUDY.seeds));
  }
  return sweep;
}

async function contextsOf(
  { pipeline, bridge, out }: MixingTools,
  { folder }: SampleConcept,
  timesteps: readonly number[],
): Promise<PromptContexts> {
  const { config, state } = await readConcept(await readFile(conceptFile(out, 'neti', folder)));
  const mapper = new Mapper(bridge.backend, config, state);
  const row = pipeline.tokenizer.encode(MIXING_STUDY.prompt);
  const contexts = await conceptContexts(pipeline, bridge, {
    row,
    concepts: [{ mapper, truncation: config.hidden }],
    timesteps,
  });
  mapper.release();
  return contexts;
}

async function measure(
  { judge, pipeline }: MixingTools,
  pictures: Float32Array,
  geometry: SampleConcept,
  appearance: SampleConcept,
): Promise<Omit<MixedStart, 'start'>> {
  const side = pipeline.shape.resolution;
  const size = 3 * side * side;
  const made = MIXING_STUDY.seeds.map((_, i) => pictures.subarray(i * size, (i + 1) * size));
  const given = (concept: SampleConcept) => concept.pictures.map((png) => pngPlanes(png, side));
  const seen = await judge.look(made.map(withoutColour));
  const known = await judge.look(given(geometry).map(withoutColour));
  const histograms = given(appearance).map((planes) => colourHistogram(planes, side));
  const colours = made.map((planes) => colourHistogram(planes, side));
  return {
    shape: mean(seen.flatMap((a) => known.map((b) => cosine(a.likeness, b.likeness)))),
    colour: mean(colours.flatMap((a) => histograms.map((b) => intersection(a, b)))),
  };
}

/** Planes of the luma (Rec. 601) in all three channels. */
function withoutColour(planes: Float32Array): Float32Array {
  const area = planes.length / 3;
  const luma = (i: number) => 0.299 * planes[i]! + 0.587 * planes[i + area]! + 0.114 * planes[i + 2 * area]!;
  return planes.map((_, i) => luma(i % area));
}
