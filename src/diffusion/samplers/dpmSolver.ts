/** DPM-Solver++ 2M (Lu et al. 2022, midpoint): the last step goes to σ = 0, in first order. */
import { roundHalfToEven } from '../../lib/numbers.ts';
import type { NoiseSchedule } from '../noiseSchedule.ts';
import { alphaOf, knotAt, sigmasOf, solverAlphas, type Knot, type Scheduler } from './sampler.ts';
import { karrasSigmas, timestepOf } from './timesteps.ts';

export function dpmSolver(schedule: NoiseSchedule, steps: number): Scheduler {
  const timesteps = solverTimesteps(schedule, steps);
  const alphas = solverAlphas(schedule);
  return multistep(
    schedule,
    timesteps,
    timesteps.map((t) => alphas[t]!),
  );
}

export function dpmSolverKarras(schedule: NoiseSchedule, steps: number): Scheduler {
  const all = sigmasOf(schedule);
  const sigmas = karrasSigmas(all[all.length - 1]!, all[0]!, steps);
  const whole = schedule.config.beta_schedule === 'squaredcos_cap_v2' ? Math.floor : roundHalfToEven;
  const timesteps = sigmas.map((sigma) => whole(timestepOf(schedule, sigma)));
  return multistep(schedule, timesteps, sigmas.map(alphaOf));
}

/** One more point than steps, without the last: unlike the other samplers' (diffusers 0.42). */
function solverTimesteps({ timesteps: count, config }: NoiseSchedule, steps: number): number[] {
  const index = Array.from({ length: steps }, (_, i) => i);
  switch (config.timestep_spacing ?? 'linspace') {
    case 'leading':
      return index.map((i) => (steps - i) * Math.floor(count / (steps + 1)) + config.steps_offset);
    case 'trailing':
      return index.map((i) => roundHalfToEven(count - (i * count) / steps) - 1);
    case 'linspace':
      return index.map((i) => roundHalfToEven(((count - 1) * (steps - i)) / steps));
  }
}

function multistep(
  schedule: NoiseSchedule,
  timesteps: readonly number[],
  alphas: readonly number[],
): Scheduler {
  const knots = [...alphas.map(knotAt), knotAt(1)];
  let previous: Float32Array | null = null;
  return {
    timesteps,
    initialScale: 1,
    isRandom: false,
    step: (output, index, sample) => {
      const clean = schedule.predictClean(output, sample, alphas[index]!);
      const [before, here, there] = [knots[index - 1], knots[index]!, knots[index + 1]!];
      const firstOrder = previous === null || before === undefined || index === timesteps.length - 1;
      const direction = firstOrder ? clean : extrapolate(clean, previous!, before!, here, there);
      previous = clean;
      const keep = there.sigma / here.sigma;
      const step = -there.alpha * Math.expm1(here.lambda - there.lambda);
      return sample.map((x, i) => keep * x + step * direction[i]!);
    },
  };
}

/** D = m₀ + (m₀ − m₁)/(2r), r the ratio of the last two steps in λ (Lu et al. 2022, algorithm 2). */
function extrapolate(
  clean: Float32Array,
  previous: Float32Array,
  before: Knot,
  here: Knot,
  there: Knot,
): Float32Array {
  const ratio = (here.lambda - before.lambda) / (there.lambda - here.lambda);
  return clean.map((m, i) => m + (m - previous[i]!) / (2 * ratio));
}
