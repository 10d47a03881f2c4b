/**
 * What a concept is at every place of its space-time (arXiv 2305.15391, section 4): its word vector at timesteps × cross-attention
 * layers, and how those vectors lie to each other, to the category's and to the vocabulary's.
 */
import type { Backend } from '../gpu/backend.ts';
import { Tape } from '../gpu/tape.ts';
import { cosine } from '../lib/numbers.ts';
import type { Mapper } from './mapper.ts';
import { TIMESTEPS } from './mapperConfig.ts';
import { principalAxes, project } from './principal.ts';

/** Columns of a map: each stands for as many timesteps, and is read at their middle. */
const COLUMNS = 20;

/** The timesteps of a map, in the order of sampling: from noise to picture. */
export const MAP_TIMESTEPS: readonly number[] = Array.from(
  { length: COLUMNS },
  (_, column) => TIMESTEPS - (TIMESTEPS / COLUMNS) * (column + 0.5),
);

/** Timesteps on either side of a column's own that it stands for. */
export const HALF_COLUMN = TIMESTEPS / COLUMNS / 2;

/** A concept's map: numbers [T, L], timesteps outermost and falling, layers in the U-Net's order. */
export interface SpaceTime {
  readonly timesteps: readonly number[];
  /** Coordinates [T, L, 2] along the first two principal components of the concept whose axes were asked for. */
  readonly components: Float32Array<ArrayBuffer>;
  /** The shares of the variance along them, 0 … 1. */
  readonly shares: readonly number[];
  /** L2 norm of the word vector. */
  readonly norms: Float32Array<ArrayBuffer>;
  /** 1 − cosine to the category's embedding, 0 … 2; null where the category is no single token. */
  readonly distances: Float32Array<ArrayBuffer> | null;
}

/** v_base [T, L, D] of a concept of one vector, all hidden units kept. */
export async function wordVectors(
  backend: Backend,
  mapper: Mapper,
  timesteps: readonly number[],
): Promise<Float32Array> {
  const { layers } = mapper.config;
  const tape = new Tape(backend);
  try {
    const rowTimesteps = timesteps.flatMap((timestep) => Array<number>(layers).fill(timestep));
    const rowLayers = timesteps.flatMap(() => Array.from({ length: layers }, (_, layer) => layer));
    const { base } = mapper.forward(tape, rowTimesteps, rowLayers);
    return await backend.download(base.buffer);
  } finally {
    tape.dispose();
  }
}

/**
 * The map of word vectors [T, L, D] at MAP_TIMESTEPS.
 * @param axesOf vectors whose principal components give the axes: the same for all maps that are to be compared
 * @param category its embedding [D]
 */
export function mapOf(
  vectors: Float32Array,
  axesOf: Float32Array,
  width: number,
  category: Float32Array | null,
): SpaceTime {
  const axes = principalAxes(axesOf, width, 2);
  const each = (measure: (vector: Float32Array) => number) =>
    Float32Array.from({ length: vectors.length / width }, (_, i) =>
      measure(vectors.subarray(i * width, (i + 1) * width)),
    );
  return {
    timesteps: MAP_TIMESTEPS,
    components: project(vectors, axes),
    shares: axes.shares,
    norms: each((vector) => Math.hypot(...vector)),
    distances: category && each((vector) => 1 - cosine(vector, category)),
  };
}

/** A word of the vocabulary, and the cosine of its embedding to a vector. */
export interface NearWord {
  readonly word: string;
  readonly cosine: number;
}

/** The `count` words whose embeddings [words, D] have the largest cosine to the vector [D], the nearest first. */
export function nearestWords(
  vector: Float32Array,
  words: readonly string[],
  embeddings: Float32Array,
  count: number,
): NearWord[] {
  const width = vector.length;
  const all = words.map((word, i) => ({
    word,
    cosine: cosine(vector, embeddings.subarray(i * width, (i + 1) * width)),
  }));
  return nearestOf(all, count);
}

/** The first of the words when the nearest stand first. */
export function nearestOf(words: readonly NearWord[], count: number): NearWord[] {
  return words.toSorted((a, b) => b.cosine - a.cosine).slice(0, count);
}
