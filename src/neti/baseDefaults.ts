/**
 * What training and sampling start from on one base, until the user chooses otherwise: its `defaults.json`, where somebody measured
 * what is best on it, else what the official implementation does on Stable Diffusion.
 */
import { z } from '../lib/zod.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import { samplerNames } from '../diffusion/samplers/table.ts';
import { readSchedulerConfig, type SchedulerConfig } from '../diffusion/schedulerConfig.ts';
import { layout } from '../lib/modelLayout.ts';
import { USUAL_START } from '../lib/trainingStart.ts';
import { MAX_GUIDANCE_SCALE, MAX_SAMPLING_STEPS, MAX_TRAIN_STEPS, MIN_GUIDANCE_SCALE } from './limits.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import type { TrainSettings } from './settings.ts';

const schema = z.object({
  trainSteps: z.int().positive().max(MAX_TRAIN_STEPS),
  /** Pictures an optimizer step; even, for nested dropout throws one coin for two. */
  batchSize: z.int().multipleOf(2).positive(),
  /** Steps between previews; 0 for none. */
  previewEvery: z.int().nonnegative(),
  samplingSteps: z.int().positive().max(MAX_SAMPLING_STEPS),
  guidanceScale: z.number().min(MIN_GUIDANCE_SCALE).max(MAX_GUIDANCE_SCALE),
  sampler: z.enum(samplerNames).default('dpm-solver++-2m'),
});

export type BaseDefaults = Readonly<z.infer<typeof schema>>;

/** Concepts are usable from 250 to 500 steps; sampled as such models usually are. */
export const OFFICIAL_DEFAULTS: BaseDefaults = {
  trainSteps: 500,
  batchSize: 8,
  previewEvery: 100,
  samplingSteps: 25,
  guidanceScale: 7.5,
  sampler: 'dpm-solver++-2m',
};

/** A file of another form is some other program's: repositories may hold anything by that name. */
export async function readDefaults(open: OpenFile): Promise<BaseDefaults> {
  const own = schema.safeParse(await readJson(open, layout.defaults)).data;
  return own ?? { ...OFFICIAL_DEFAULTS, ...samplingOf(await readSchedulerConfig(open)) };
}

/** How a model wants to be drawn, as far as its scheduler's configuration tells: distilled models in a few steps, without guidance. */
function samplingOf(config: SchedulerConfig): Partial<BaseDefaults> {
  const { _class_name: name = '', timestep_spacing: spacing, use_karras_sigmas: karras } = config;
  if (name === 'LCMScheduler') return { sampler: 'lcm', samplingSteps: 4, guidanceScale: 1.5 };
  const isTurbo = name.startsWith('Euler') && spacing === 'trailing' && !config.rescale_betas_zero_snr;
  if (isTurbo) return { sampler: 'euler', samplingSteps: 4, guidanceScale: 1 };
  return karras ? { sampler: 'dpm-solver++-2m-karras' } : {};
}

/** AdamW with weight decay 1e-2, nested dropout and bypass on: the official implementation's choices, but for the start. */
export function trainSettingsOn({ trainSteps, batchSize, previewEvery }: BaseDefaults): TrainSettings {
  return {
    variant: 'neti',
    start: USUAL_START,
    steps: trainSteps,
    learningRate: 8e-3,
    nestedDropout: MAPPER_DEFAULTS.nestedDropout,
    batchSize,
    seed: 0,
    horizontalFlip: true,
    previewEvery,
    previewPrompts: ['A photo of a {}', 'A photo of {} on a beach'],
  };
}
