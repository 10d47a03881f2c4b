/**
 * The comparison of the paper's figure 7 and its ablations, on the shipped base: what is trained, what is drawn, and where it is
 * kept. Everything is fixed here, so that a run can be cut and resumed, and its parts are comparable.
 */
import { join } from 'node:path';
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import type { TrainingStart } from '../../lib/trainingStart.ts';
import { MAPPER_DEFAULTS } from '../../neti/mapperConfig.ts';
import type { TrainSettings } from '../../neti/settings.ts';
import type { VariantName } from '../../neti/variants.ts';

export const study = {
  /** Optimizer steps of every variant, and the checkpoints that are drawn. */
  checkpoints: [50, 100, 150],
  /** Kept hidden units of NeTI's last checkpoint (section 4.3). */
  truncations: [1, 4, 16, 32, 64, MAPPER_DEFAULTS.hidden],
  /** Of the paper's fifteen, those whose place or treatment the base knows. */
  prompts: [
    'A photo of a {}',
    'A photo of {} in the jungle',
    'A photo of {} on a beach',
    'A photo of {} in the moon',
    'A manga drawing of {}',
    'A watercolor painting of {}',
  ],
  seeds: [1, 2],
  samplingSteps: 20,
  guidanceScale: 5,
  /** Of the weights' start, the noise and the templates. */
  trainingSeed: 0,
} as const;

export const lastCheckpoint = study.checkpoints.at(-1)!;
/** The variants that come first; `--variants all` adds the rest. */
export const MAIN_VARIANTS = [
  'neti',
  'textual-inversion',
  'xti',
  'no-bypass',
  'no-dropout',
] as const satisfies VariantName[];

/** What is compared: a variant with the settings it is trained with, in a folder of its own. */
export interface Arm {
  readonly name: string;
  readonly settings: TrainSettings;
  /** Steps that are drawn, rising; the last is the end. */
  readonly checkpoints: readonly number[];
}

/** A variant with the studio's settings on the base, begun as the paper begins all of them. */
export const variantArm = (variant: VariantName, settings: TrainSettings): Arm => ({
  name: variant,
  settings: { ...settings, variant, start: 'official' },
  checkpoints: study.checkpoints,
});

/** Steps at which the starts are compared (starts.ts). */
export const START_CHECKPOINTS = [10, 25, 50, 100, 150] as const;

export const startArm = (start: TrainingStart, settings: TrainSettings): Arm => ({
  name: `start-${start}`,
  settings: { ...settings, start },
  checkpoints: START_CHECKPOINTS,
});

const otherSettings = [
  { learningRate: 4e-3 },
  { learningRate: 16e-3 },
  { batchSize: 4 },
  { batchSize: 8 },
] as const satisfies Partial<TrainSettings>[];

const isOther = (settings: TrainSettings, changed: Partial<TrainSettings>) =>
  JSON.stringify({ ...settings, ...changed }) !== JSON.stringify(settings);

/** NeTI with other settings than the study's, one changed at a time: are the defaults the best? */
export const settingArms = (settings: TrainSettings): readonly Arm[] =>
  otherSettings
    .filter((changed) => isOther(settings, changed))
    .map((changed) => ({
      name: Object.entries(changed)
        .map(([setting, value]) => `neti-${setting}-${value}`)
        .join(),
      settings: { ...settings, ...changed, start: 'official' },
      checkpoints: study.checkpoints,
    }));

/** Settings are compared on every fourth concept. */
export const settingConcepts = (concepts: readonly SampleConcept[]) => concepts.filter((_, i) => i % 4 === 0);

/** Where the pictures of a checkpoint are kept: a column a seed, a row a prompt. */
export function checkpointFile(out: string, arm: string, concept: string, step: number): string {
  return join(out, arm, concept, `step-${step}.png`);
}

/** The learned concept, as the studio exports it. */
export function conceptFile(out: string, arm: string, concept: string): string {
  return join(out, arm, concept, 'concept.safetensors');
}

/** The same for NeTI's last checkpoint with fewer hidden units. */
export function truncationFile(out: string, concept: string, kept: number): string {
  return join(out, 'neti', concept, `kept-${kept}.png`);
}
