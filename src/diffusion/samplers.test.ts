/** Both samplers against trajectories of diffusers on a toy network (fixtures/make_samplers.py). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { relativeError } from '../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../lib/safetensors.ts';
import { NoiseSchedule, scheduleSchema } from './noiseSchedule.ts';
import { createScheduler, type SamplerName } from './samplers.ts';

const file = readSafetensors(
  new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures/samplers.safetensors'))),
);
const golden = (name: string) => toFloat32(file.tensors.get(name)!);
const cases = (['dpm-solver++-2m', 'ddim'] as const).flatMap((name) =>
  (['epsilon', 'v_prediction'] as const).flatMap((prediction) =>
    [10, 20].map((steps): [SamplerName, 'epsilon' | 'v_prediction', number] => [name, prediction, steps]),
  ),
);

it.each(cases)('%s, %s, %i steps', (name, prediction, steps) => {
  const schedule = new NoiseSchedule(scheduleSchema.parse({ prediction_type: prediction }));
  const scheduler = createScheduler(name, schedule, steps);
  const key = `${name}.${prediction}.${steps}`;
  expect(scheduler.timesteps).toEqual(Array.from(golden(`${key}.timesteps`)));
  const path = golden(`${key}.path`);
  let sample = golden('start');
  for (let index = 0; index < steps; index++) {
    const output = sample.map((x) => 0.3 * x + 0.1 * Math.sin(x));
    sample = scheduler.step(output, index, sample) as typeof sample;
    const expected = path.subarray(index * sample.length, (index + 1) * sample.length);
    expect(relativeError(sample, expected), `step ${index}`).toBeLessThan(1e-5);
  }
});
