/**
 * The forward process of the base model (Ho et al. 2020, eq. 4): x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε, with the betas of its
 * `scheduler_config.json`, and what the network is asked to predict: ε, or v = √ᾱ_t·ε − √(1 − ᾱ_t)·x_0
 * (Salimans and Ho 2022).
 */
import { z } from 'zod';

export const scheduleSchema = z.object({
  num_train_timesteps: z.int().positive().default(1000),
  beta_start: z.number().default(0.00085),
  beta_end: z.number().default(0.012),
  beta_schedule: z.enum(['scaled_linear', 'linear']).default('scaled_linear'),
  prediction_type: z.enum(['epsilon', 'v_prediction']).default('epsilon'),
  /** Betas written out, which no Stable Diffusion has. */
  trained_betas: z.null({ error: 'is not supported: give beta_start and beta_end instead' }).optional(),
  /** Whether the last timestep is noise alone, as Stable Diffusion's later fine-tunes learn it (Lin et al. 2023). */
  rescale_betas_zero_snr: z
    .boolean()
    .nullish()
    .transform((value) => value ?? false),
});

export type ScheduleConfig = z.infer<typeof scheduleSchema>;
export type PredictionType = ScheduleConfig['prediction_type'];

export class NoiseSchedule {
  readonly timesteps: number;
  readonly predictionType: PredictionType;
  /** ᾱ_t, one number a timestep. */
  readonly alphasCumprod: Float64Array;

  constructor(config: ScheduleConfig) {
    const { num_train_timesteps: count, beta_start: start, beta_end: end } = config;
    const root = config.beta_schedule === 'scaled_linear' ? Math.sqrt : (beta: number) => beta;
    const power = config.beta_schedule === 'scaled_linear' ? 2 : 1;
    this.timesteps = count;
    this.predictionType = config.prediction_type;
    this.alphasCumprod = new Float64Array(count);
    let product = 1;
    for (let t = 0; t < count; t++) {
      const beta = (root(start) + ((root(end) - root(start)) * t) / (count - 1)) ** power;
      product *= 1 - beta;
      this.alphasCumprod[t] = product;
    }
    if (config.rescale_betas_zero_snr) this.alphasCumprod = withoutLastSignal(this.alphasCumprod);
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
    const [a, b] = [this.signal(t), this.noise(t)];
    return noise.map((e, i) => a * e - b * clean[i]!);
  }

  /** The network's answer at x_t as an estimate of x_0 (ᾱ as a number, since solvers interpolate it). */
  predictClean(output: Float32Array, sample: Float32Array, alphaCumprod: number): Float32Array {
    const [a, b] = [Math.sqrt(alphaCumprod), Math.sqrt(1 - alphaCumprod)];
    return this.predictionType === 'epsilon'
      ? sample.map((x, i) => (x - b * output[i]!) / a)
      : sample.map((x, i) => a * x - b * output[i]!);
  }
}

/** What is left of the signal at the end, as diffusers keeps it: the solvers divide by it. */
const leastAlpha = 2 ** -24;

/** √ᾱ moved and stretched so that it starts as it did and ends at nothing (Lin et al. 2023, algorithm 1). */
function withoutLastSignal(alphasCumprod: Float64Array): Float64Array {
  const roots = alphasCumprod.map(Math.sqrt);
  const [first, last] = [roots[0]!, roots[roots.length - 1]!];
  return roots
    .map((root) => Math.max(((root - last) * first) / (first - last), 0) ** 2)
    .map((alpha) => Math.max(alpha, leastAlpha));
}
