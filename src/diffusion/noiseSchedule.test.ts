/** The noise schedule against diffusers' numbers, and what a model's configuration may say. */
import { describe, expect, it } from 'vitest';
import { NoiseSchedule } from './noiseSchedule.ts';
import { schedulerSchema } from './schedulerConfig.ts';

const scheduleOf = (config: object) => new NoiseSchedule(schedulerSchema.parse(config));

// diffusers 0.42: alphas_cumprod of each.
it.each([
  [{}, 0, 0.99915],
  [{}, 500, 0.2763325],
  [{}, 999, 0.0046601],
  [{ beta_start: 0.0001, beta_end: 0.02, beta_schedule: 'linear' }, 500, 0.07779665],
  // A class that leaves out its betas means its own.
  [{ _class_name: 'EulerDiscreteScheduler' }, 500, 0.07779665],
  [{ _class_name: 'LCMScheduler' }, 500, 0.2763325],
  [{ beta_schedule: 'squaredcos_cap_v2' }, 500, 0.49228504],
  [{ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }, 0, 0.99914998],
  [{ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }, 500, 0.24101864],
  [{ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }, 998, 1.9679634e-7],
  [{ rescale_betas_zero_snr: true, prediction_type: 'v_prediction' }, 999, 0],
])('%j: ᾱ at timestep %i', (config, t, expected) => {
  const found = scheduleOf(config).alphasCumprod[t]!;
  expect(Math.abs(found - expected)).toBeLessThanOrEqual(1e-4 * Math.max(expected, 1e-9));
});

it.each(['epsilon', 'v_prediction', 'sample'] as const)(
  '%s: a perfect answer gives the clean latents back',
  (type) => {
    const own = scheduleOf({ prediction_type: type });
    const clean = Float32Array.of(0.5, -1, 2);
    const noise = Float32Array.of(1, 0.3, -0.7);
    const noisy = own.addNoise(clean, noise, 321);
    const found = own.predictClean(own.target(clean, noise, 321), noisy, own.alphasCumprod[321]!);
    found.forEach((value, i) => {
      expect(value).toBeCloseTo(clean[i]!, 5);
    });
  },
);

describe('scheduler_config.json', () => {
  it.each([
    [{ num_train_timesteps: 1e9 }, 'num_train_timesteps'],
    [{ beta_start: -1 }, 'beta_start'],
    [{ beta_end: 1 }, 'beta_end'],
    [{ beta_start: 0.02, beta_end: 0.01 }, 'beta_end'],
    [{ beta_schedule: 'sigmoid' }, 'beta_schedule'],
    [{ prediction_type: 'flow' }, 'prediction_type'],
    [{ trained_betas: [0.1, 0.2] }, 'trained_betas'],
    [{ timestep_spacing: 'random' }, 'timestep_spacing'],
    [{ thresholding: true }, 'thresholding'],
    [{ use_beta_sigmas: true }, 'use_beta_sigmas'],
    [{ interpolation_type: 'log_linear' }, 'interpolation_type'],
    [{ rescale_betas_zero_snr: true }, 'rescale_betas_zero_snr'],
    [{ shift: 3 }, 'shift'],
    [{ _class_name: 'FlowMatchEulerDiscreteScheduler' }, '_class_name'],
  ])('%j is refused by name', (config, name) => {
    const { error } = schedulerSchema.safeParse(config);
    expect(error?.issues[0]?.path).toEqual([name]);
  });

  it.each([
    { _class_name: 'PNDMScheduler', skip_prk_steps: true, steps_offset: 1, trained_betas: null },
    { algorithm_type: 'dpmsolver++', solver_order: 2, use_karras_sigmas: true, lower_order_final: true },
    { interpolation_type: 'linear', timestep_spacing: 'trailing', timestep_type: 'discrete' },
    { a_setting_of_tomorrow: false, another: null },
  ])('%j is taken', (config) => {
    expect(schedulerSchema.safeParse(config).error).toBeUndefined();
  });
});
