/**
 * A prompt's weights in what the U-Net reads, as diffusers' community pipeline "long prompt weighting" has them: each token's context
 * is multiplied by its weight, and all by one number that restores the mean.
 */
import { AppError } from '../lib/errors.ts';

/**
 * Weighs contexts [N, T, D] in place, each of the N by itself.
 * @param weights of the T tokens; null leaves the contexts as they are
 * Throws `prompt.weights` where the weighted contexts have no mean to restore.
 */
export function weighContexts(
  contexts: Float32Array,
  weights: readonly number[] | null,
  contextWidth: number,
): void {
  if (weights === null) return;
  const size = weights.length * contextWidth;
  for (let begin = 0; begin < contexts.length; begin += size)
    weighOne(contexts.subarray(begin, begin + size), weights, contextWidth);
}

function weighOne(context: Float32Array, weights: readonly number[], contextWidth: number): void {
  const before = sum(context);
  context.forEach((value, i) => (context[i] = value * weights[Math.floor(i / contextWidth)]!));
  const scale = before / sum(context);
  if (!Number.isFinite(scale))
    throw new AppError(
      'prompt.weights',
      'The weights in the prompt cancel each other out. Take numbers above zero, such as (red:1.3).',
    );
  context.forEach((value, i) => (context[i] = value * scale));
}

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);
