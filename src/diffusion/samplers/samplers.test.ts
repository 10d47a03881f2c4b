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
/** Numbers of a sample. */
const SAMPLE = 16;
const PLAIN = { set_alpha_to_one: false };
const samplers: Record<string, [SamplerName, object]> = {
  ...Object.fromEntries(samplerNames.map((name) => [name, [name, PLAIN]])),
  'ddim-whole': ['ddim', {}],
  'ddim-clipped': ['ddim', { ...PLAIN, clip_sample: true, clip_sample_range: 0.8 }],
};
const stepCounts = [1, 4, 20, 50];
const cases = [...file.tensors.keys()].filter((name) => name.split('/').length === 4);

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
    expect(cases.length).toBeGreaterThan(350);
  });

  it.each(cases)('%s', (name) => {
    const [sampler, prediction, spacing, schedule] = name.split('/');
    const [id, settings] = samplers[sampler!]!;
    const common = { prediction_type: prediction, timestep_spacing: spacing, steps_offset: 1 };
    const config = schedulerSchema.parse({ ...common, ...schedules[schedule!], ...settings });
    const [samples, timesteps] = [golden(name), golden(`${name}/timesteps`)];
    let done = 0;
    stepCounts.forEach((steps, row) => {
      const scheduler = createScheduler(id, new NoiseSchedule(config), steps);
      const own = timesteps.subarray(done, (done += scheduler.timesteps.length));
      own.forEach((t, i) => {
        expect(Math.abs(scheduler.timesteps[i]! - t)).toBeLessThan(1e-3);
      });
      const expected = samples.subarray(row * SAMPLE, (row + 1) * SAMPLE);
      expect(relativeError(run(scheduler), expected)).toBeLessThan(1e-5);
    });
    expect(done).toBe(timesteps.length);
  });
});
