/** Random inputs of the compiled graphs, of the right shapes. */
import { Tensor } from 'onnxruntime-node';
import { sizeOf } from '../../lib/numbers.ts';
import { Random } from '../../lib/random.ts';
import { BYPASS_SCALE } from '../../neti/bridge.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';

export type Feeds = Record<string, Tensor>;

/** The placeholder's position in the prompt. */
const PLACE = 5;

/** All but the switches; `lossScale` multiplies the loss that is differentiated, the mean over the pictures. */
export function unetFeeds(shape: UnetShape, batch: number, lossScale = 1): Feeds {
  const { layers, tokens, contextWidth, latent } = shape;
  const context = [layers, batch, tokens, contextWidth];
  const weights = new Float32Array(batch).fill(lossScale / batch);
  return {
    key_contexts: random(context, 5),
    value_contexts: random(context, 6),
    sample: random([batch, ...latent], 1),
    target: random([batch, ...latent], 2),
    timestep: integers(new Array<number>(batch).fill(500), [batch]),
    loss_weights: new Tensor('float32', weights, [batch]),
  };
}

/** What both runs read; the gradients towards the contexts are the second's alone. */
export function textFeeds(rows: number, { tokens, contextWidth }: UnetShape): Feeds {
  const mask = Float32Array.from({ length: rows * tokens }, (_, i) => Number(i % tokens === PLACE));
  const ids = Array.from({ length: rows * tokens }, (_, i) => 320 + (i % tokens));
  return {
    input_ids: integers(ids, [rows, tokens]),
    placeholder_mask: new Tensor('float32', mask, [rows, tokens, 1]),
    concept_embedding: random([rows, 1, contextWidth], 3),
    concept_bypass: random([rows, contextWidth], 4),
    bypass_scale: new Tensor('float32', Float32Array.of(BYPASS_SCALE), []),
  };
}

/** Standard normal numbers. */
function random(dims: readonly number[], seed: number): Tensor {
  return new Tensor('float32', new Random(seed).fillNormal(new Float32Array(sizeOf(dims))), dims);
}

function integers(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values.map(BigInt)), dims);
}
