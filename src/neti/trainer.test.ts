/** The training loop on the micro model (random weights of Stable Diffusion's shape), prepared here. */
import { expect, it } from 'vitest';
import type { AdamWState } from '../gpu/adamw.ts';
import { relativeError } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import { createBridge, type Bridge } from './bridge.ts';
import { readConcept, writeConcept } from './conceptFile.ts';
import { createMapper, createTable, Mapper } from './mapper.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from './baseDefaults.ts';
import { LossScale } from './lossScale.ts';
import { Trainer, type TrainerParts } from './trainer.ts';
import { openMicro } from './testing/microBase.ts';
import { variantConfig, variantNames } from './variants.ts';

const pipeline = await openMicro();
const { runtime, shape } = pipeline;
const { layers, contextWidth, latent } = shape;

function freshMapper(bridge: Bridge): Mapper {
  const config = {
    ...MAPPER_DEFAULTS,
    layers,
    contextWidth,
    normScale: 0.4,
    hidden: 16,
    fourierFeatures: 16,
  };
  return createMapper(bridge.backend, config, new Random(1));
}

function trainerOf(
  bridge: Bridge,
  mapper: Mapper,
  random: Random,
  optimizer: AdamWState | null = null,
  more: Partial<TrainerParts> = {},
): Trainer {
  const size = latent[0] * latent[1] * latent[2];
  const mean = new Random(2).fillNormal(new Float32Array(size));
  const pictures = [{ straight: { mean, logvar: new Float32Array(size).fill(-6) }, mirrored: null }];
  const settings = { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2 };
  return new Trainer({
    pipeline,
    bridge,
    mapper,
    pictures,
    templates: ['a {}'],
    settings,
    random,
    optimizer,
    ...more,
  });
}

async function steps(trainer: Trainer, count: number): Promise<number[]> {
  const losses: number[] = [];
  for (let i = 0; i < count; i++) losses.push((await trainer.step()).loss);
  return losses;
}

it('a training that is stopped, kept as a file and gone on with is the same as one that never stopped', async () => {
  const bridge = createBridge(runtime);
  const whole = freshMapper(bridge);
  const expected = await steps(trainerOf(bridge, whole, new Random(3)), 4);

  const random = new Random(3);
  const mapper = freshMapper(bridge);
  const first = trainerOf(bridge, mapper, random);
  const losses = await steps(first, 2);
  const file = await writeConcept({
    config: mapper.config,
    state: await mapper.state(),
    optimizer: await first.optimizerState(),
    info: {
      name: 'Pip',
      category: 'cat',
      kind: 'object',
      step: 2,
      thumbnail: '',
      baseId: 'micro',
      baseHash: 'ab'.repeat(32),
      created: '2026-01-02T03:04:05.000Z',
    },
    training: { seed: 3, learningRate: 8e-3, losses },
    resolution: 64,
    predictionType: 'epsilon',
  });
  const { config, state, optimizer } = await readConcept(file);
  const resumed = new Mapper(bridge.backend, config, state);
  losses.push(...(await steps(trainerOf(bridge, resumed, random, optimizer), 2)));

  expect(losses).toEqual(expected);
  expect(await resumed.state()).toEqual(await whole.state());
});

it.each(variantNames)('%s: a step moves every trained tensor', async (name) => {
  const bridge = createBridge(runtime);
  const embedding = await pipeline.tokenEmbedding(5);
  const config = { ...variantConfig(name, layers, embedding), hidden: 16, fourierFeatures: 16 };
  const mapper = config.network
    ? createMapper(bridge.backend, config, new Random(1))
    : createTable(bridge.backend, config, embedding);
  const before = await mapper.state();
  await trainerOf(bridge, mapper, new Random(4)).step();
  const after = await mapper.state();
  for (const { name: tensor } of mapper.parameters)
    expect(after.get(tensor), tensor).not.toEqual(before.get(tensor));
});

it('a step moves the mapper and gives every buffer back', async () => {
  const bridge = createBridge(runtime);
  const mapper = freshMapper(bridge);
  const trainer = trainerOf(bridge, mapper, new Random(4));
  const [before, live] = [await mapper.state(), bridge.backend.liveBuffers];
  const { loss, times } = await trainer.step();
  expect(loss).toBeGreaterThan(0);
  expect(Math.min(...Object.values(times))).toBeGreaterThan(0);
  expect(bridge.backend.liveBuffers).toBe(live);
  const after = await mapper.state();
  for (const name of ['input_layer.weight', 'net.4.weight', 'output_layer.0.bias'])
    expect(after.get(name), name).not.toEqual(before.get(name));
  trainer.release();
  mapper.release();
  expect(bridge.backend.liveBuffers).toBe(0);
});

it('a step in passes of one picture is the step of them all', async () => {
  const narrow = await openMicro({ precision: 'float32', activationBudget: 5e5 });
  expect([pipeline.shape.picturesAtOnce, narrow.shape.picturesAtOnce]).toEqual([null, 1]);
  const bridge = createBridge(runtime);
  const [whole, parts] = [freshMapper(bridge), freshMapper(bridge)];
  const a = await trainerOf(bridge, whole, new Random(4)).step();
  const b = await trainerOf(bridge, parts, new Random(4), null, { pipeline: narrow }).step();
  expect(b.loss).toBeCloseTo(a.loss, 5);
  expect(relativeError(await gradientsOf(parts), await gradientsOf(whole))).toBeLessThan(1e-4);
});

it('half precision trains as float32 does, and skips a step whose gradients overflow', async () => {
  const half = await openMicro({ precision: 'float16' });
  expect([pipeline.shape.precision, half.shape.precision]).toEqual(['float32', 'float16']);
  const bridge = createBridge(runtime);
  const [mapper, reference] = [freshMapper(bridge), freshMapper(bridge)];
  const before = await mapper.state();

  const lossScale = new LossScale('float16', 2000, 2 ** 126);
  const trainer = trainerOf(bridge, mapper, new Random(4), null, { pipeline: half, lossScale });
  const live = bridge.backend.liveBuffers;
  expect((await trainer.step()).skipped).toBe(true);
  expect(lossScale.value).toBe(2 ** 125);
  expect(await mapper.state()).toEqual(before);
  expect(bridge.backend.liveBuffers).toBe(live);

  const usual = trainerOf(bridge, mapper, new Random(4), null, { pipeline: half });
  const wide = trainerOf(bridge, reference, new Random(4));
  const [a, b] = [await usual.step(), await wide.step()];
  expect([a.skipped, b.skipped]).toEqual([false, false]);
  expect(a.loss).toBeCloseTo(b.loss, 3);
  const [found, expected] = [await gradientsOf(mapper), await gradientsOf(reference)];
  expect(relativeError(found, expected)).toBeLessThan(0.02);
});

/** Gradients of all the mapper's tensors, end to end. */
async function gradientsOf({ parameters }: Mapper): Promise<Float32Array> {
  const parts = await parameters.download(parameters.gradients);
  return Float32Array.from([...parts.values()].flatMap((part) => [...part]));
}
