/**
 * Every sampler against diffusers on a toy network, for every prediction, spacing and schedule that it computes
 * (fixtures/make_samplers.py). Figures are ‖a − b‖ / ‖b‖.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { relativeError } from '../../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../../lib/safetensors.ts';
import { NoiseSchedule } from '../noiseSchedule.ts';
import { schedulerSchema } from '../schedulerConfig.ts';
import type { Scheduler } from './sampler.ts';
import { createScheduler, samplerNames, type SamplerName } from './table.ts';

const file = readSafetensors(
  new Uint8Array(readFileSync(join(import.meta.dirname, '../fixtures/samplers.safetensors'))),
);
const golden = (name: string) => toFloat32(file.tensors.get(name)!);

const schedules: Record<string, object> = {
  stable: {},
  linear: { beta_start: 0.0001, beta_end: 0.02, beta_schedule: 'linear' },
  cosine: { beta_schedule: 'squaredcos_cap_v2' },
  listed: { trained_betas: Array.from({ length: 1000 }, (_, i) => 0.001 + 0.00001 * i) },
  'zero-snr': { rescale_betas_zero_snr: true },
};
const PLAIN = { set_alpha_to_one: false };
const samplers: Record<string, [SamplerName, object]> = {
  ...Object.fromEntries(samplerNames.map((name) => [name, [name, PLAIN]])),
  'ddim-whole': ['ddim', {}],
  'ddim-clipped': ['ddim', { ...PLAIN, clip_sample: true, clip_sample_range: 0.8 }],
};
const cases = [...file.tensors.keys()].filter((name) => name.split('/').length === 5);

/** diffusers' Euler has errors of float32 of its own: where it starts from noise alone (σ = 4096), or takes one step from σ = 0.03. */
function toleranceOf(name: string): number {
  if (!name.startsWith('euler')) return 1e-5;
  return name.includes('/zero-snr/') ? 4e-4 : 2e-5;
}

function run(scheduler: Scheduler): Float32Array {
  const noises = golden('noises');
  let sample = golden('start').map((x) => x * scheduler.initialScale);
  const size = sample.length;
  scheduler.timesteps.forEach((_, index) => {
    const output = sample.map((x) => 0.3 * x + 0.1 * Math.sin(x));
    const at = (index % (noises.length / size)) * size;
    sample = scheduler.step(output, index, sample, noises.subarray(at, at + size)) as typeof sample;
  });
  return sample;
}

describe('samplers come to what diffusers comes to', () => {
  it('in every combination that it computes', () => {
    expect(new Set(cases.map((name) => samplers[name.split('/')[0]!]![0])).size).toBe(samplerNames.length);
    expect(cases.length).toBeGreaterThan(400);
  });

  it.each(cases)('%s', (name) => {
    const [sampler, prediction, spacing, schedule, steps] = name.split('/');
    const [id, settings] = samplers[sampler!]!;
    const common = { prediction_type: prediction, timestep_spacing: spacing, steps_offset: 1 };
    const config = schedulerSchema.parse({ ...common, ...schedules[schedule!], ...settings });
    const scheduler = createScheduler(id, new NoiseSchedule(config), Number(steps));
    golden(`${name}/timesteps`).forEach((t, i) => {
      expect(Math.abs(scheduler.timesteps[i]! - t)).toBeLessThan(1e-2);
    });
    expect(relativeError(run(scheduler), golden(name))).toBeLessThan(toleranceOf(name));
  });
});
