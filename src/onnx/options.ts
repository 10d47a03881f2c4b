/** What the compiler can be asked for beyond a model's own sizes. */
export interface CompileOptions {
  /** Of weights and activations; inputs and outputs of the graphs stay float32. */
  readonly precision: 'float32' | 'float16';
  /** Bytes that the activations of the U-Net's training step may take; without one nothing is recomputed. */
  readonly activationBudget?: number;
  /** Pictures of the training step that the budget is for (default 1); the graph's batch stays free. */
  readonly batch?: number;
}

export const DEFAULT_OPTIONS: CompileOptions = { precision: 'float32' };
