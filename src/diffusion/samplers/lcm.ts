/** Latent consistency models (Luo et al. 2023): the network's estimate of the picture, made noisy again for the next step. */
import { AppError } from '../../lib/errors.ts';
import type { NoiseSchedule } from '../noiseSchedule.ts';
import { clipped } from './ddim.ts';
import type { Scheduler } from './sampler.ts';

/** Standard deviation of the data, in the boundary conditions. */
const DATA_SIGMA = 0.5;

/** Throws `generate.settings` for more steps than the model was distilled from. */
export function lcm(schedule: NoiseSchedule, steps: number): Scheduler {
  const { alphasCumprod, config } = schedule;
  const timesteps = lcmTimesteps(schedule, steps);
  return {
    timesteps,
    initialScale: 1,
    isRandom: true,
    step: (output, index, sample, noise) => {
      const t = timesteps[index]!;
      const clean = clipped(schedule, schedule.predictClean(output, sample, alphasCumprod[t]!));
      const spread = (t * config.timestep_scaling) ** 2 + DATA_SIGMA ** 2;
      const [skip, out] = [DATA_SIGMA ** 2 / spread, (t * config.timestep_scaling) / Math.sqrt(spread)];
      const denoised = sample.map((x, i) => out * clean[i]! + skip * x);
      if (index === steps - 1) return denoised;
      const next = timesteps[index + 1]!;
      const [signal, rest] = [schedule.signal(next), schedule.noise(next)];
      return denoised.map((x, i) => signal * x + rest * noise![i]!);
    },
  };
}

/** Of the timesteps of its teacher, as many as are asked for, evenly. */
function lcmTimesteps({ timesteps: count, config }: NoiseSchedule, steps: number): number[] {
  const taught = config.original_inference_steps;
  if (steps > taught)
    throw new AppError(
      'generate.settings',
      `LCM draws in at most ${taught} steps, found ${steps}; choose fewer.`,
    );
  const stride = Math.floor(count / taught);
  return Array.from({ length: steps }, (_, i) => {
    const place = taught - Math.floor((i * taught) / steps);
    return place * stride - 1;
  });
}
