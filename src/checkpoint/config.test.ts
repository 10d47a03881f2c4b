/** What a configuration says that its weights do not. */
import { expect, it } from 'vitest';
import { textConfig } from './config.ts';
import { Weights, type Weight } from './weights.ts';

const weight = (shape: readonly number[]): Weight => ({
  dtype: 'F32',
  shape,
  offset: 0,
  length: 0,
  location: 'a',
});
const threeLayers = new Weights(
  'the text encoder',
  new Map([
    ['embeddings.position_embedding.weight', weight([77, 64])],
    ...[0, 1, 2].map((i) => [`encoder.layers.${i}.layer_norm1.weight`, weight([64])] as const),
  ]),
);

it.each([
  [{ num_attention_heads: 1, num_hidden_layers: 2 }, 2],
  [{ num_attention_heads: 1 }, 3],
])('%j: %i layers run', (config, layers) => {
  expect(textConfig(config, threeLayers)).toMatchObject({ layers, tokens: 77 });
});
