import type { TrainingStart } from '../lib/trainingStart.ts';
import type { VariantName } from './variants.ts';

/** Settings of a training run: the official implementation's, with what a base has measured for itself (baseDefaults.ts). */
export interface TrainSettings {
  /** Which of the paper's methods learns. */
  readonly variant: VariantName;
  /** What a new mapper is asked to begin as; where the base has no starting mapper that fits, the official start is taken. */
  readonly start: TrainingStart;
  readonly steps: number;
  /** AdamW's learning rate (official: 8e-3 for 8 pictures a step). */
  readonly learningRate: number;
  /** Pictures an optimizer step. */
  readonly batchSize: number;
  /** Probability that nested dropout strikes a call of the mapper, where the variant has any. */
  readonly nestedDropout: number;
  readonly seed: number;
  readonly horizontalFlip: boolean;
  /** Steps between previews; 0 for none. */
  readonly previewEvery: number;
  /** Prompts with one `{}` each, rendered with fixed seeds. */
  readonly previewPrompts: readonly string[];
}

/** Pictures for which nested dropout throws one coin a layer: the official micro-batch. */
export const MICRO_BATCH_SIZE = 2;
