/**
 * Defaults of a training run: the official implementation's (method: AdamW, lr = 1e-3 × 8 pictures, weight decay 1e-2,
 * nested dropout on, bypass on), with the number of steps that the shipped base needs.
 */
export interface TrainSettings {
  readonly steps: number;
  /** AdamW's learning rate (official: 8e-3 for 8 pictures a step). */
  readonly learningRate: number;
  /** Pictures an optimizer step. */
  readonly batchSize: number;
  readonly seed: number;
  readonly horizontalFlip: boolean;
  readonly textualBypass: boolean;
  readonly nestedDropout: boolean;
  /** Steps between previews; 0 for none. */
  readonly previewEvery: number;
  /** Prompts with one `{}` each, rendered with fixed seeds. */
  readonly previewPrompts: readonly string[];
}

export const defaultTrainSettings: TrainSettings = {
  steps: 150,
  learningRate: 8e-3,
  batchSize: 8,
  seed: 0,
  horizontalFlip: true,
  textualBypass: true,
  nestedDropout: true,
  previewEvery: 25,
  previewPrompts: ['A photo of a {}', 'A photo of {} on a beach'],
};

/** Pictures for which nested dropout throws one coin a layer: the official micro-batch. */
export const microBatchSize = 2;

/** Most steps of one training run. */
export const maxTrainSteps = 10_000;

export type ConceptKind = 'object' | 'style';
