/** Every sampler, in the order in which the page offers them. A new one is an entry here, and its goldens. */
import type { NoiseSchedule } from '../noiseSchedule.ts';
import { ddim } from './ddim.ts';
import { dpmSolver, dpmSolverKarras } from './dpmSolver.ts';
import { euler, eulerAncestral, eulerKarras } from './euler.ts';
import { lcm } from './lcm.ts';
import type { Sampler, Scheduler } from './sampler.ts';

export const samplers = {
  'dpm-solver++-2m': { label: 'DPM-Solver++ 2M', pngName: 'DPM++ 2M', create: dpmSolver },
  'dpm-solver++-2m-karras': {
    label: 'DPM-Solver++ 2M Karras',
    pngName: 'DPM++ 2M Karras',
    create: dpmSolverKarras,
  },
  ddim: { label: 'DDIM', pngName: 'DDIM', create: ddim },
  euler: { label: 'Euler', pngName: 'Euler', create: euler },
  'euler-karras': { label: 'Euler Karras', pngName: 'Euler Karras', create: eulerKarras },
  'euler-ancestral': { label: 'Euler ancestral', pngName: 'Euler a', create: eulerAncestral },
  lcm: { label: 'LCM', pngName: 'LCM', create: lcm },
} satisfies Record<string, Sampler>;

export type SamplerName = keyof typeof samplers;

export const samplerNames = Object.keys(samplers) as SamplerName[];

export function createScheduler(name: SamplerName, schedule: NoiseSchedule, steps: number): Scheduler {
  return samplers[name].create(schedule, steps);
}
