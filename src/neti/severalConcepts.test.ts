/**
 * Several concepts in one prompt against PyTorch (fixtures/make_several_concepts.py): the contexts of two concepts with a bypass each, one
 * of them weighted, and a word of two vectors; then what must be the same to the bit.
 */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from '../lib/zod.ts';
import { relativeError } from '../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../lib/safetensors.ts';
import { conceptContexts, type ShownConcept } from './contexts.ts';
import { Mapper } from './mapper.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import { openMicroBase } from './testing/microBase.ts';

const PROMPT = 'a ({first}:1.3) by {word} in {second}';
const TOLERANCE = 1e-5;

const file = readSafetensors(readFileSync(new URL('fixtures/several_concepts.safetensors', import.meta.url)));
const golden = (name: string) => toFloat32(file.tensors.get(name)!);
const sizes = z
  .object({
    fourierFeatures: z.int(),
    timeAnchors: z.int(),
    timesteps: z.array(z.int()),
    layers: z.array(z.int()),
    mappers: z.record(
      z.string(),
      z.object({ hidden: z.int(), normScale: z.number().nullable(), keep: z.int() }),
    ),
  })
  .parse(JSON.parse(file.metadata.get('sizes')!));

const { pipeline, bridge } = await openMicroBase();
const { layers, tokens, contextWidth } = pipeline.shape;

function network(name: string): ShownConcept {
  const { keep, ...own } = sizes.mappers[name]!;
  const { fourierFeatures, timeAnchors } = sizes;
  const config = { ...MAPPER_DEFAULTS, layers, contextWidth, fourierFeatures, timeAnchors, ...own };
  const names = [...file.tensors.keys()].filter((each) => each.startsWith(`${name}.`));
  const state = new Map(names.map((each) => [each.slice(name.length + 1), golden(each)]));
  return { mapper: new Mapper(bridge.backend, config, state), truncation: keep };
}

function wordOfTwo(): ShownConcept {
  const plain = { network: false, space: false, time: false, textualBypass: false, nestedDropout: 0 };
  const config = { ...MAPPER_DEFAULTS, ...plain, layers, contextWidth, normScale: null, vectors: 2 };
  const state = new Map([['vectors', golden('word.vectors')]]);
  return { mapper: new Mapper(bridge.backend, config, state), truncation: 1 };
}

const { timesteps } = sizes;
const [first, second, word] = [network('first'), network('second'), wordOfTwo()];

/** All contexts of a prompt, [timesteps, L, T, D] each. */
async function contextsOf(prompt: string, concepts: readonly ShownConcept[]) {
  const vectors = concepts.map(({ mapper }) => mapper.config.vectors);
  const row = pipeline.tokenizer.encode(prompt, vectors);
  const at = await conceptContexts(pipeline, bridge, { row, concepts, timesteps });
  return timesteps.map((_, index) => at(index));
}

it('has PyTorch’s contexts, each concept with its own vectors and its own bypass', async () => {
  const all = await contextsOf(PROMPT, [first, word, second]);
  const size = tokens * contextWidth;
  for (const side of ['keys', 'values'] as const)
    for (const [index, contexts] of all.entries())
      for (const [place, layer] of sizes.layers.entries()) {
        const start = (index * sizes.layers.length + place) * size;
        const own = contexts[side].subarray(layer * size, (layer + 1) * size);
        const expected = golden(side).subarray(start, start + size);
        expect(relativeError(own, expected), `${side} ${index} ${layer}`).toBeLessThanOrEqual(TOLERANCE);
      }
});

it('is no other for a concept and its copy than for the concept twice', async () => {
  const twice = await contextsOf('{first} by {first}', [first, first]);
  expect(await contextsOf('{first} by {copy}', [first, network('first')])).toEqual(twice);
});

it('is no other by name than at the mark without one', async () => {
  expect(await contextsOf('a {first} in red', [first])).toEqual(await contextsOf('a {} in red', [first]));
});

it('leaves the values at a mark to its own concept, whatever stands behind it', async () => {
  const ownTokens = (each: { values: Float32Array }) => each.values.slice(contextWidth, 2 * contextWidth);
  const [beside, other] = [second, word].map((behind) => contextsOf('{first} by {it}', [first, behind]));
  expect((await beside!).map(ownTokens)).toEqual((await other!).map(ownTokens));
  const plain = (await other!).map(({ keys }) => keys.slice(contextWidth, 2 * contextWidth));
  expect((await beside!).map(ownTokens)).not.toEqual(plain);
});
