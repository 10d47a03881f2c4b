/**
 * Euler's method on the probability-flow ODE, and with noise added back at every step (Karras et al. 2022; "ancestral" in
 * k-diffusion). Both are told in σ on unscaled latents x̂ = x·√(1 + σ²); samples here stay of unit variance.
 */
import type { NoiseSchedule } from '../noiseSchedule.ts';
import { alphaOf, compose, impliedNoise, knotAt, type Scheduler } from './sampler.ts';
import { karrasSigmas, sigmasAt, spacedTimesteps, timestepOf } from './timesteps.ts';

export function euler(schedule: NoiseSchedule, steps: number): Scheduler {
  const timesteps = spacedTimesteps(schedule, steps, 'linspace');
  return deterministic(schedule, timesteps, sigmasAt(schedule, timesteps));
}

export function eulerKarras(schedule: NoiseSchedule, steps: number): Scheduler {
  const own = sigmasAt(schedule, spacedTimesteps(schedule, steps, 'linspace'));
  const sigmas = karrasSigmas(own[0]!, own[own.length - 1]!, steps);
  return deterministic(
    schedule,
    sigmas.map((sigma) => timestepOf(schedule, sigma)),
    sigmas,
  );
}

function deterministic(
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  sigmas: readonly number[],
): Scheduler {
  const alphas = [...sigmas.map(alphaOf), 1];
  return {
    timesteps,
    initialScale: initialScale(schedule, sigmas),
    isRandom: false,
    step: (output, index, sample) => {
      const [here, there] = [alphas[index]!, alphas[index + 1]!];
      const clean = schedule.predictClean(output, sample, here);
      return compose(clean, impliedNoise(sample, clean, knotAt(here)), knotAt(there));
    },
  };
}

export function eulerAncestral(schedule: NoiseSchedule, steps: number): Scheduler {
  const timesteps = spacedTimesteps(schedule, steps, 'linspace');
  const sigmas = [...sigmasAt(schedule, timesteps), 0];
  return {
    timesteps,
    initialScale: initialScale(schedule, sigmas),
    isRandom: true,
    step: (output, index, sample, noise) => {
      const [from, to] = [sigmas[index]!, sigmas[index + 1]!];
      const clean = schedule.predictClean(output, sample, alphaOf(from));
      const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2);
      const down = Math.sqrt(to ** 2 - up ** 2);
      const [scale, unscale] = [Math.sqrt(1 + from ** 2), 1 / Math.sqrt(1 + to ** 2)];
      return sample.map((x, i) => {
        const direction = (x * scale - clean[i]!) / from;
        return (x * scale + direction * (down - from) + noise![i]! * up) * unscale;
      });
    },
  };
}

/** diffusers starts at σ·ε, short of unit variance, except where timesteps are spaced from the start of the schedule. */
function initialScale({ config }: NoiseSchedule, [first]: readonly number[]): number {
  return config.timestep_spacing === 'leading' ? 1 : first! / Math.sqrt(1 + first! ** 2);
}
