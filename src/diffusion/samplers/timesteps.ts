/** Which timesteps a sampler visits, number for number as in diffusers 0.42 (Lin et al. 2023, table 2), and Karras's spacing of σ. */
import { roundHalfToEven } from '../../lib/numbers.ts';
import type { NoiseSchedule } from '../noiseSchedule.ts';
import type { TimestepSpacing } from '../schedulerConfig.ts';
import { sigmasOf } from './sampler.ts';

/** From the noisiest on; between whole timesteps where they are spaced linearly. */
export function spacedTimesteps(
  { timesteps: count, config }: NoiseSchedule,
  steps: number,
  usual: TimestepSpacing,
): number[] {
  const index = Array.from({ length: steps }, (_, i) => i);
  switch (config.timestep_spacing ?? usual) {
    case 'leading':
      return index.map((i) => (steps - 1 - i) * Math.floor(count / steps) + config.steps_offset);
    case 'trailing':
      return index.map((i) => roundHalfToEven(count - (i * count) / steps) - 1);
    case 'linspace':
      return index.map((i) => (steps === 1 ? 0 : ((count - 1) * (steps - 1 - i)) / (steps - 1)));
  }
}

/** σ at timesteps that need not be whole. */
export function sigmasAt(schedule: NoiseSchedule, timesteps: readonly number[]): number[] {
  const all = sigmasOf(schedule);
  return timesteps.map((t) => {
    const low = Math.min(Math.floor(t), all.length - 1);
    const high = Math.min(low + 1, all.length - 1);
    return all[low]! + (t - low) * (all[high]! - all[low]!);
  });
}

const RHO = 7;

/** σ from the largest to the smallest, evenly spaced in σ^(1/7) (Karras et al. 2022, eq. 5). */
export function karrasSigmas(largest: number, smallest: number, steps: number): number[] {
  const [from, to] = [largest ** (1 / RHO), smallest ** (1 / RHO)];
  return Array.from(
    { length: steps },
    (_, i) => (from + (steps === 1 ? 0 : i / (steps - 1)) * (to - from)) ** RHO,
  );
}

/** The timestep at which the schedule has σ, interpolated in log σ. */
export function timestepOf(schedule: NoiseSchedule, sigma: number): number {
  const logs = sigmasOf(schedule).map(Math.log);
  const wanted = Math.log(Math.max(sigma, 1e-10));
  const above = logs.findIndex((log) => log > wanted);
  const low = Math.min(above < 0 ? logs.length - 2 : Math.max(above - 1, 0), logs.length - 2);
  const share = (logs[low]! - wanted) / (logs[low]! - logs[low + 1]!);
  return low + Math.min(Math.max(share, 0), 1);
}
