/** What the compiler can be asked for beyond a model's own sizes. */
import type { Precision } from '../lib/precision.ts';

export interface CompileOptions {
  /** Of the U-Net's weights and activations; its inputs and outputs stay float32. */
  readonly precision: Precision;
  /** Bytes that the activations of the U-Net's training step may take; without one nothing is recomputed. */
  readonly activationBudget?: number;
  /** Pictures of the training step that the budget is for (default 1); the graph's batch stays free. */
  readonly batch?: number;
}

/** Called with a part's name before its graph is compiled and awaited; a rejection ends the compilation. */
export type OnGraph = (part: string) => Promise<void> | void;

/** Pictures that memory was planned for; null where nothing was. */
export function plannedPictures({ activationBudget, batch = 1 }: CompileOptions): number | null {
  return activationBudget === undefined ? null : batch;
}

export const DEFAULT_OPTIONS: CompileOptions = { precision: 'float32' };
