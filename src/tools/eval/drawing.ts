/** Draws the study's pictures, all with the same sampler, and lays them out. */
import { encode } from 'fast-png';
import type { Pipeline } from '../../diffusion/pipeline.ts';
import { plainContexts, sample, type PromptContexts } from '../../diffusion/sampling.ts';
import type { Scheduler } from '../../diffusion/samplers/sampler.ts';
import { createScheduler } from '../../diffusion/samplers/table.ts';
import { fromPlanes } from '../../pictures/pixels.ts';
import { study } from './study.ts';

/** A fresh one: it remembers the steps of one run. */
export function schedulerOf({ schedule }: Pipeline): Scheduler {
  return createScheduler('dpm-solver++-2m', schedule, study.samplingSteps);
}

/** Planes [S, 3, R, R] in −1…1, one picture a seed. */
export async function drawPictures(
  pipeline: Pipeline,
  conditional: PromptContexts,
  seeds: readonly number[],
): Promise<Float32Array> {
  const latents = await sample(pipeline, {
    scheduler: schedulerOf(pipeline),
    conditional,
    unconditional: await plainContexts(pipeline, ''),
    guidanceScale: study.guidanceScale,
    seeds,
  });
  return pipeline.decodeLatents(latents, seeds.length);
}

/** Rows of planes [columns, 3, side, side] in −1…1 as one PNG. */
export function gridPng(rows: readonly Float32Array[], side: number): Uint8Array {
  const size = 3 * side * side;
  const columns = rows[0]!.length / size;
  const width = columns * side;
  const data = new Uint8Array(4 * width * rows.length * side);
  rows.forEach((planes, r) => {
    for (let c = 0; c < columns; c++) {
      const { data: tile } = fromPlanes(planes.subarray(c * size, (c + 1) * size), side, side);
      for (let y = 0; y < side; y++)
        data.set(tile.subarray(4 * y * side, 4 * (y + 1) * side), 4 * ((r * side + y) * width + c * side));
    }
  });
  return encode({ width, height: rows.length * side, data, channels: 4 });
}
