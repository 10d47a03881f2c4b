/** How a model of the user's own is compiled: in which precision, and what a training step may hold in memory. */
import type { CompileOptions } from '../onnx/options.ts';

/** Models with more bytes than this, as Stable Diffusion has, train one picture at a time within a budget. */
const LARGE_MODEL = 1e9;
/** Bytes of the activations of a large model's training step: with its weights in float16 it fits a card of 6 GB. */
export const ACTIVATION_BUDGET = 2e9;

export function isLarge(modelBytes: number): boolean {
  return modelBytes > LARGE_MODEL;
}

/** @param half whether the engine computes in half precision */
export function compileOptions(modelBytes: number, half: boolean): CompileOptions {
  const precision = half ? 'float16' : 'float32';
  return isLarge(modelBytes) ? { precision, activationBudget: ACTIVATION_BUDGET, batch: 1 } : { precision };
}
