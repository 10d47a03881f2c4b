/** The noise schedule against diffusers' numbers, and what it refuses. */
import { expect, it } from 'vitest';
import { NoiseSchedule, scheduleSchema } from './noiseSchedule.ts';

const schedule = new NoiseSchedule(scheduleSchema.parse({}));

// Stable Diffusion 1.x: alphas_cumprod as PyTorch computes it from linspace(√0.00085, √0.012, 1000)².
it.each([
  [0, 0.99915],
  [500, 0.276303],
  [999, 0.00466],
])('ᾱ at timestep %i', (t, expected) => {
  expect(schedule.alphasCumprod[t]).toBeCloseTo(expected, 4);
});

// diffusers 0.42, DPMSolverMultistepScheduler with rescale_betas_zero_snr.
it.each([
  [0, 0.99914998],
  [1, 0.9982335],
  [500, 0.24101864],
  [998, 1.9679634e-7],
  [999, 5.9604645e-8],
])('ᾱ at timestep %i of a schedule that ends in noise alone', (t, expected) => {
  const own = new NoiseSchedule(scheduleSchema.parse({ rescale_betas_zero_snr: true }));
  expect(own.alphasCumprod[t]! / expected).toBeCloseTo(1, 4);
});

it.each([
  [{ beta_schedule: 'squaredcos_cap_v2' }, 'beta_schedule'],
  [{ prediction_type: 'sample' }, 'prediction_type'],
  [{ trained_betas: [0.1] }, 'trained_betas'],
])('%j is refused by name', (config, name) => {
  const { error } = scheduleSchema.safeParse(config);
  expect(error?.issues[0]?.path).toEqual([name]);
});

it.each(['epsilon', 'v_prediction'] as const)('%s: a perfect answer gives the clean latents back', (type) => {
  const own = new NoiseSchedule(scheduleSchema.parse({ prediction_type: type }));
  const clean = Float32Array.of(0.5, -1, 2);
  const noise = Float32Array.of(1, 0.3, -0.7);
  const noisy = own.addNoise(clean, noise, 321);
  const found = own.predictClean(own.target(clean, noise, 321), noisy, own.alphasCumprod[321]!);
  found.forEach((value, i) => expect(value).toBeCloseTo(clean[i]!, 5));
});
