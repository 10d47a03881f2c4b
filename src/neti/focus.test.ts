/** What a focus leaves and what it takes away, on the micro model. */
import { describe, expect, it } from 'vitest';
import { Random } from '../lib/random.ts';
import { conceptContexts } from './contexts.ts';
import { focusContexts, frozenPlace, type Focus } from './focus.ts';
import { createMapper } from './mapper.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import { openMicroBase } from './testing/microBase.ts';

const { pipeline, bridge } = await openMicroBase();
const { layers, tokens, contextWidth } = pipeline.shape;
const size = tokens * contextWidth;
const config = { ...MAPPER_DEFAULTS, layers, contextWidth, normScale: 0.4, fourierFeatures: 16, hidden: 8 };
const mapper = createMapper(bridge.backend, config, new Random(3));
const row = pipeline.tokenizer.encode('a {}');
const timesteps = [900, 500, 100];
const whole: Focus = {
  fromTimestep: 1000,
  toTimestep: 0,
  fromLayer: 0,
  toLayer: layers - 1,
  outside: 'frozen',
};
const part: Focus = { ...whole, fromTimestep: 600, toTimestep: 400, fromLayer: 1 };

const contextsOf = (frozen: Focus | null) =>
  conceptContexts(pipeline, bridge, { row, concepts: [{ mapper, truncation: 8, frozen }], timesteps });
const own = await contextsOf(null);
const layerOf = (keys: Float32Array, layer: number) => keys.slice(layer * size, (layer + 1) * size);

describe('a frozen concept', () => {
  it('is itself where all of it is in focus', async () => {
    const frozen = await contextsOf(whole);
    for (const index of timesteps.keys()) expect(frozen(index)).toEqual(own(index));
  });

  it('is read at the nearest place in focus', async () => {
    expect(frozenPlace(part, 900, 0)).toEqual([600, 1]);
    expect(frozenPlace(part, 100, 2)).toEqual([400, 2]);
    expect(frozenPlace(part, 500, 1)).toEqual([500, 1]);
    const frozen = await contextsOf(part);
    expect(layerOf(frozen(1).values, 1)).toEqual(layerOf(own(1).values, 1));
    expect(layerOf(frozen(1).values, 0)).toEqual(layerOf(own(1).values, 1));
    const edge = await conceptContexts(pipeline, bridge, {
      row,
      concepts: [{ mapper, truncation: 8 }],
      timesteps: [600],
    });
    expect(layerOf(frozen(0).values, 1)).toEqual(layerOf(edge(0).values, 1));
  });
});

it('the category’s word stands wherever the concept is out of focus', () => {
  const length = layers * size;
  const word = { keys: new Float32Array(length).fill(7), values: new Float32Array(length).fill(8) };
  const focused = focusContexts({ focus: part, own, word: () => word, layers, timesteps });
  expect(focused(0)).toEqual(word);
  expect(layerOf(focused(1).keys, 0)).toEqual(layerOf(word.keys, 0));
  expect(layerOf(focused(1).keys, 1)).toEqual(layerOf(own(1).keys, 1));
  expect(layerOf(focused(1).values, 1)).toEqual(layerOf(own(1).values, 1));
});
