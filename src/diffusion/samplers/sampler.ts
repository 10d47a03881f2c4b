/** What a sampler is: a way from noise to a picture in few calls of the network. */
import type { NoiseSchedule } from '../noiseSchedule.ts';

/**
 * One run of a sampler: call `step` for index 0 … timesteps.length − 1, in order. Samples are of unit variance before the first
 * step, whatever form the sampler's source gives them: x = √ᾱ·x_0 + √(1 − ᾱ)·ε throughout.
 */
export interface Scheduler {
  /** What the network is told; not whole numbers for samplers that go between timesteps. */
  readonly timesteps: readonly number[];
  /** Factor of the unit noise that a run starts from. */
  readonly initialScale: number;
  /** Whether `step` draws from `noise`. */
  readonly isRandom: boolean;
  /**
   * x at the next timestep, from the network's output at `timesteps[index]`; all arrays of one size.
   * @param noise unit noise, where the sampler is random
   */
  step(output: Float32Array, index: number, sample: Float32Array, noise?: Float32Array): Float32Array;
}

export interface Sampler {
  /** As the page calls it. */
  readonly label: string;
  /** What AUTOMATIC1111 calls it, in the text of a PNG. */
  readonly pngName: string;
  create(schedule: NoiseSchedule, steps: number): Scheduler;
}

/** A point on a solver's path: α, σ and λ = log(α/σ) of the variance-preserving process. */
export interface Knot {
  readonly alpha: number;
  readonly sigma: number;
  readonly lambda: number;
}

export function knotAt(alphaCumprod: number): Knot {
  const [alpha, sigma] = [Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod)];
  return { alpha, sigma, lambda: Math.log(alpha / sigma) };
}

/** ᾱ of a standard deviation of noise on unscaled latents, σ = √((1 − ᾱ)/ᾱ) (Karras et al. 2022). */
export const alphaOf = (sigma: number) => 1 / (1 + sigma ** 2);

/** What is left of the signal where a schedule ends in noise alone, as in diffusers: solvers divide by it. */
const LEAST_ALPHA = 2 ** -24;

/** ᾱ of each timestep, never nothing. */
export function solverAlphas({ alphasCumprod, config }: NoiseSchedule): Float64Array {
  return config.rescale_betas_zero_snr
    ? alphasCumprod.map((alpha) => Math.max(alpha, LEAST_ALPHA))
    : alphasCumprod;
}

/** σ of each timestep. */
export function sigmasOf(schedule: NoiseSchedule): Float64Array {
  return solverAlphas(schedule).map((alpha) => Math.sqrt((1 - alpha) / alpha));
}

/** What an estimate of x_0 says of ε at the sample. */
export function impliedNoise(sample: Float32Array, clean: Float32Array, at: Knot): Float32Array {
  return sample.map((x, i) => (x - at.alpha * clean[i]!) / at.sigma);
}

/** α·x_0 + σ·ε */
export function compose(clean: Float32Array, noise: Float32Array, at: Knot): Float32Array {
  return clean.map((x, i) => at.alpha * x + at.sigma * noise[i]!);
}
