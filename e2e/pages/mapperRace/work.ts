/** What every contender of the race computes: one training step of the same mapper, on the same rows. */
import { CpuBackend } from '../../../src/gpu/cpuBackend.ts';
import { Random } from '../../../src/lib/random.ts';
import { Encoding } from '../../../src/neti/encoding.ts';
import { createMapper, type MapperState } from '../../../src/neti/mapper.ts';
import { MAPPER_DEFAULTS, type MapperConfig } from '../../../src/neti/mapperConfig.ts';

/** The shipped base's sizes, and the official training's. */
const PICTURES = 8;
export const CONFIG = {
  ...MAPPER_DEFAULTS,
  layers: 16,
  contextWidth: 128,
  normScale: 0.4,
} as const satisfies MapperConfig;
export const ROWS = PICTURES * CONFIG.layers;
export const OUTPUTS = 2 * CONFIG.contextWidth;

export const LEARNING_RATE = 8e-3;
export const WEIGHT_DECAY = 1e-2;
export const [BETA1, BETA2, ADAM_EPSILON] = [0.9, 0.999, 1e-8];
export const [LAYER_NORM_EPSILON, SLOPE] = [1e-5, 0.01];

export interface Work {
  readonly state: MapperState;
  readonly timesteps: readonly number[];
  readonly layers: readonly number[];
  /** Hidden units kept, [ROWS]. */
  readonly keep: readonly number[];
  /** The encoded rows [ROWS, 2F], which the others are given ready made. */
  readonly encoded: Float32Array;
  /** dLoss/dOutput, [ROWS, OUTPUTS]. */
  readonly upstream: Float32Array;
}

export interface Contender {
  readonly name: string;
  /** One training step; ends when a parameter has been read back. */
  readonly step: () => Promise<void>;
  /** Every trained parameter, one after another. */
  readonly parameters: () => Promise<Float32Array>;
}

export async function drawWork(): Promise<Work> {
  const random = new Random(7);
  const state = await createMapper(new CpuBackend(), CONFIG, random).state();
  const chosen = Array.from({ length: PICTURES }, () => random.int(1000));
  const timesteps = Array.from({ length: ROWS }, (_, row) => chosen[row % PICTURES]!);
  const layers = Array.from({ length: ROWS }, (_, row) => Math.floor(row / PICTURES));
  const keep = layers.map((layer) => (layer % 2 === 0 ? CONFIG.hidden : random.int(CONFIG.hidden)));
  const encoded = new Encoding(CONFIG, state.get('encoder.w')!).encode(timesteps, layers);
  const upstream = random.fillNormal(new Float32Array(ROWS * OUTPUTS));
  return { state, timesteps, layers, keep, encoded, upstream };
}

/** The factors of AdamW's update t = 1, 2, …: lr/(1 − β₁ᵗ) and √(1 − β₂ᵗ). */
export function adamFactors(t: number): { stepSize: number; correction: number } {
  return { stepSize: LEARNING_RATE / (1 - BETA1 ** t), correction: Math.sqrt(1 - BETA2 ** t) };
}

/** 1 for kept hidden units, 0 for dropped ones, [ROWS, hidden]. */
export function keepMask({ keep }: Work): Float32Array {
  return Float32Array.from({ length: ROWS * CONFIG.hidden }, (_, i) =>
    i % CONFIG.hidden < keep[Math.floor(i / CONFIG.hidden)]! ? 1 : 0,
  );
}

/** Arrays, one after another. */
export function concatenated(parts: readonly ArrayLike<number>[]): Float32Array {
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}
