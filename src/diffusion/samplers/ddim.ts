/** DDIM (Song et al. 2021, η = 0). */
import { roundHalfToEven } from '../../lib/numbers.ts';
import type { NoiseSchedule } from '../noiseSchedule.ts';
import { compose, impliedNoise, knotAt, type Scheduler } from './sampler.ts';
import { spacedTimesteps } from './timesteps.ts';

export function ddim(schedule: NoiseSchedule, steps: number): Scheduler {
  const { alphasCumprod, config } = schedule;
  const stride = Math.floor(schedule.timesteps / steps);
  const timesteps = spacedTimesteps(schedule, steps, 'leading').map(roundHalfToEven);
  const last = config.set_alpha_to_one ? 1 : alphasCumprod[0]!;
  return {
    timesteps,
    initialScale: 1,
    isRandom: false,
    step: (output, index, sample) => {
      const t = timesteps[index]!;
      const here = alphasCumprod[t]!;
      const there = t >= stride ? alphasCumprod[t - stride]! : last;
      const clean = schedule.predictClean(output, sample, here);
      const noise = impliedNoise(sample, clean, knotAt(here));
      return compose(clipped(schedule, clean), noise, knotAt(there));
    },
  };
}

/** Within the range that the model's configuration sets, if it sets one. */
export function clipped({ config }: NoiseSchedule, clean: Float32Array): Float32Array {
  const most = config.clip_sample_range;
  return config.clip_sample ? clean.map((x) => Math.min(Math.max(x, -most), most)) : clean;
}
