import { expect, test } from 'vitest';
import { NoiseSchedule, scheduleSchema } from './schedule.ts';

const schedule = new NoiseSchedule(scheduleSchema.parse({}));

// Stable Diffusion 1.x: alphas_cumprod as PyTorch computes it from linspace(√0.00085, √0.012, 1000)².
test.each([
  [0, 0.99915],
  [500, 0.276303],
  [999, 0.00466],
])('ᾱ at timestep %i', (t, expected) => {
  expect(schedule.alphasCumprod[t]).toBeCloseTo(expected, 4);
});

test.each(['epsilon', 'v_prediction'] as const)(
  '%s: a perfect answer gives the clean latents back',
  (type) => {
    const own = new NoiseSchedule(scheduleSchema.parse({ prediction_type: type }));
    const clean = Float32Array.of(0.5, -1, 2);
    const noise = Float32Array.of(1, 0.3, -0.7);
    const noisy = own.addNoise(clean, noise, 321);
    const found = own.predictClean(own.target(clean, noise, 321), noisy, own.alphasCumprod[321]!);
    found.forEach((value, i) => expect(value).toBeCloseTo(clean[i]!, 5));
  },
);
