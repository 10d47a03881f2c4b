/**
 * Nested dropout (Rippel et al. 2014; NeTI, section 4.3): keeping only the first k of the hidden units in training orders
 * them by importance, which makes truncation at inference a slider. One coin falls for each call of the mapper, that
 * is for each (micro-batch, layer), although all layers are batched here; when it strikes, every row draws its own k.
 */
import type { RandomSource } from '../lib/random.ts';

export interface NestedDropoutShape {
  readonly layers: number;
  readonly microBatches: number;
  /** Pictures in a micro-batch. */
  readonly pictures: number;
  /** Hidden units of the mapper. */
  readonly hidden: number;
  /** Probability that the coin strikes. */
  readonly probability: number;
}

/**
 * Units to keep in each row, [layers · microBatches · pictures]: `hidden` where nothing is dropped, else k uniform in
 * 0 … hidden − 1. Rows are layer-major: r = layer · B + picture, micro-batch after micro-batch within B.
 */
export function nestedDropoutKeep(
  random: RandomSource,
  shape: NestedDropoutShape,
): Float32Array<ArrayBuffer> {
  const { layers, microBatches, pictures, hidden, probability } = shape;
  const keep = new Float32Array(layers * microBatches * pictures).fill(hidden);
  for (let call = 0; call < layers * microBatches; call++) {
    if (random.uniform() >= probability) continue;
    for (let picture = 0; picture < pictures; picture++) keep[call * pictures + picture] = random.int(hidden);
  }
  return keep;
}
