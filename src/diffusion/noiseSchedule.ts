/**
 * The forward process of the base model (Ho et al. 2020, eq. 4): x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε, with the betas of its
 * `scheduler_config.json`, and what the network is asked to predict: ε, x_0 itself, or v = √ᾱ_t·ε − √(1 − ᾱ_t)·x_0
 * (Salimans and Ho 2022).
 */
import type { PredictionType, SchedulerConfig } from './schedulerConfig.ts';

export class NoiseSchedule {
  readonly timesteps: number;
  readonly predictionType: PredictionType;
  /** ᾱ_t, one number a timestep. */
  readonly alphasCumprod: Float64Array;

  constructor(readonly config: SchedulerConfig) {
    this.timesteps = config.num_train_timesteps;
    this.predictionType = config.prediction_type;
    let product = 1;
    const cumulated = betasOf(config).map((beta) => (product *= 1 - beta));
    this.alphasCumprod = config.rescale_betas_zero_snr ? withoutLastSignal(cumulated) : cumulated;
  }

  signal(t: number): number {
    return Math.sqrt(this.alphasCumprod[t]!);
  }

  noise(t: number): number {
    return Math.sqrt(1 - this.alphasCumprod[t]!);
  }

  /** x_t of clean latents and noise of the same size. */
  addNoise(clean: Float32Array, noise: Float32Array, t: number): Float32Array {
    const [a, b] = [this.signal(t), this.noise(t)];
    return clean.map((x, i) => a * x + b * noise[i]!);
  }

  /** What the network should answer at x_t. */
  target(clean: Float32Array, noise: Float32Array, t: number): Float32Array {
    if (this.predictionType === 'epsilon') return noise;
    if (this.predictionType === 'sample') return clean;
    const [a, b] = [this.signal(t), this.noise(t)];
    return noise.map((e, i) => a * e - b * clean[i]!);
  }

  /** The network's answer at x_t as an estimate of x_0 (ᾱ as a number, since solvers interpolate it). */
  predictClean(output: Float32Array, sample: Float32Array, alphaCumprod: number): Float32Array {
    if (this.predictionType === 'sample') return output;
    const [a, b] = [Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod)];
    return this.predictionType === 'epsilon'
      ? sample.map((x, i) => (x - b * output[i]!) / a)
      : sample.map((x, i) => a * x - b * output[i]!);
  }
}

function betasOf(config: SchedulerConfig): Float64Array {
  const { num_train_timesteps: count, beta_start: start, beta_end: end, trained_betas: trained } = config;
  if (trained) return Float64Array.from(trained);
  const between = (a: number, b: number, t: number) => a + ((b - a) * t) / (count - 1);
  const rules = {
    linear: (t: number) => between(start, end, t),
    scaled_linear: (t: number) => between(Math.sqrt(start), Math.sqrt(end), t) ** 2,
    squaredcos_cap_v2: (t: number) =>
      Math.min(1 - cosineShare((t + 1) / count) / cosineShare(t / count), 0.999),
  };
  return Float64Array.from({ length: count }, (_, t) => rules[config.beta_schedule](t));
}

/** ᾱ of the cosine schedule at a share of the time (Nichol and Dhariwal 2021, eq. 17). */
function cosineShare(time: number): number {
  return Math.cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
}

/** √ᾱ moved and stretched so that it starts as it did and ends at nothing (Lin et al. 2023, algorithm 1). */
function withoutLastSignal(alphasCumprod: Float64Array): Float64Array {
  const roots = alphasCumprod.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots[roots.length - 1]!];
  return roots.map((root) => (((root - last) * first) / (first - last)) ** 2);
}
