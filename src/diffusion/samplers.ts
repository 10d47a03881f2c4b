/**
 * Samplers of the reverse process, number for number as in diffusers 0.42: DDIM (Song et al. 2021, η = 0, leading
 * timesteps with offset 1) and DPM-Solver++ 2M (Lu et al. 2022, midpoint, linearly spaced timesteps, last step to
 * σ = 0 in first order).
 */
import { roundHalfToEven } from '../lib/numbers.ts';
import type { NoiseSchedule } from './noiseSchedule.ts';

/** One run of a sampler: call `step` for index 0 … timesteps.length − 1, in order. Samples start as unit noise. */
export interface Scheduler {
  readonly timesteps: readonly number[];
  /** x at the next timestep, from the network's output at `timesteps[index]`; all arrays of one size. */
  step(output: Float32Array, index: number, sample: Float32Array): Float32Array;
}

interface Sampler {
  /** As the page calls it. */
  readonly label: string;
  /** What AUTOMATIC1111 calls it, in the text of a PNG. */
  readonly pngName: string;
  create(schedule: NoiseSchedule, steps: number): Scheduler;
}

/** Every sampler, in the order in which the page offers them. A new one is an entry here, and its golden. */
export const samplers = {
  'dpm-solver++-2m': { label: 'DPM-Solver++ 2M', pngName: 'DPM++ 2M', create: dpmSolverMultistep },
  ddim: { label: 'DDIM', pngName: 'DDIM', create: ddim },
} satisfies Record<string, Sampler>;

export type SamplerName = keyof typeof samplers;

export const samplerNames = Object.keys(samplers) as SamplerName[];

export function createScheduler(name: SamplerName, schedule: NoiseSchedule, steps: number): Scheduler {
  return samplers[name].create(schedule, steps);
}

function ddim(schedule: NoiseSchedule, steps: number): Scheduler {
  const stride = Math.floor(schedule.timesteps / steps);
  const timesteps = Array.from({ length: steps }, (_, i) => (steps - 1 - i) * stride + 1);
  const alphaBefore = (t: number) => schedule.alphasCumprod[Math.max(t - stride, 0)]!;
  return {
    timesteps,
    step: (output, index, sample) => {
      const t = timesteps[index]!;
      const alpha = schedule.alphasCumprod[t]!;
      const next = alphaBefore(t);
      const clean = schedule.predictClean(output, sample, alpha);
      const [signal, noise] = [Math.sqrt(next), Math.sqrt(1 - next)];
      return sample.map((x, i) => {
        const epsilon = (x - Math.sqrt(alpha) * clean[i]!) / Math.sqrt(1 - alpha);
        return signal * clean[i]! + noise * epsilon;
      });
    },
  };
}

/** A point on the solver's path: α, σ and λ = log(α/σ) of the variance-preserving process. */
interface Knot {
  readonly alpha: number;
  readonly sigma: number;
  readonly lambda: number;
}

function knot(alphaCumprod: number): Knot {
  const [alpha, sigma] = [Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod)];
  return { alpha, sigma, lambda: Math.log(alpha / sigma) };
}

function dpmSolverMultistep(schedule: NoiseSchedule, steps: number): Scheduler {
  const last = schedule.timesteps - 1;
  // NumPy's rounding, which the reference's timesteps went through.
  const timesteps = Array.from({ length: steps }, (_, i) => roundHalfToEven((last * (steps - i)) / steps));
  const knots = [...timesteps.map((t) => knot(schedule.alphasCumprod[t]!)), knot(1)];
  let previous: Float32Array | null = null;
  return {
    timesteps,
    step: (output, index, sample) => {
      const clean = schedule.predictClean(output, sample, schedule.alphasCumprod[timesteps[index]!]!);
      const [before, here, there] = [knots[index - 1], knots[index]!, knots[index + 1]!];
      const firstOrder = previous === null || before === undefined || index === steps - 1;
      const direction = firstOrder ? clean : extrapolate(clean, previous!, before!, here, there);
      previous = clean;
      const keep = there.sigma / here.sigma;
      const move = -there.alpha * Math.expm1(here.lambda - there.lambda);
      return sample.map((x, i) => keep * x + move * direction[i]!);
    },
  };
}

/** D = m₀ + (m₀ − m₁)/(2r), r the ratio of the last two steps in λ (Lu et al. 2022, algorithm 2). */
function extrapolate(
  clean: Float32Array,
  previous: Float32Array,
  before: Knot,
  here: Knot,
  there: Knot,
): Float32Array {
  const ratio = (here.lambda - before.lambda) / (there.lambda - here.lambda);
  return clean.map((m, i) => m + (m - previous[i]!) / (2 * ratio));
}
