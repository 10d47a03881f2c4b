/**
 * Model folders as people have them, from what is chosen to what is trained: opened to the numbers of the model that they are made of,
 * asked about, or refused in one sentence before anything is copied.
 */
import * as ort from 'onnxruntime-web';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pipeline } from '../diffusion/pipeline.ts';
import {
  asFolder,
  microFiles,
  microFolder,
  withWeightsApart,
  type Files,
} from '../intake/testing/microFolder.ts';
import { Random } from '../lib/random.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { createBridge } from '../neti/bridge.ts';
import { encodePicture, TrainingRun, type RunBase } from '../neti/run.ts';
import { microIdentity, openMicroBase } from '../neti/testing/microBase.ts';
import { Runtime } from '../ort/runtime.ts';
import { ModelStore } from '../storage/modelStore.ts';
import { memoryTree } from '../storage/testing/memoryTree.ts';
import { openKeptModel } from './keptModel.ts';
import { ModelCatalog } from './modelCatalog.ts';

// A browser without a graphics card.
beforeEach(() => vi.stubGlobal('navigator', { hardwareConcurrency: 2 }));
afterEach(() => vi.unstubAllGlobals());

const { signal } = new AbortController();
const SCHEDULER = 'scheduler/scheduler_config.json';
const encode = (text: string) => new TextEncoder().encode(text);

async function withScheduler(change: object): Promise<Files> {
  const files = await microFiles();
  const config = JSON.parse(new TextDecoder().decode(files.get(SCHEDULER))) as object;
  return files.set(SCHEDULER, encode(JSON.stringify({ ...config, ...change })));
}

/** As a clone without Git LFS leaves them. */
async function withPointers(): Promise<Files> {
  const files = await microFiles();
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3438375973\n`;
  for (const path of files.keys()) if (path.endsWith('.onnx')) files.set(path, encode(pointer));
  return files;
}

async function withoutWeights(): Promise<Files> {
  const files = await withWeightsApart(() => 'model.onnx_data');
  files.delete('unet/model.onnx_data');
  return files;
}

/** Plans, copies, compiles and opens a folder as the page has it done. */
async function open(files: Files): Promise<RunBase> {
  const catalog = new ModelCatalog(new ModelStore(memoryTree()));
  const answer = await catalog.plan({ kind: 'folder', files: asFolder(files) }, signal);
  if (!('offer' in answer)) throw new Error(`Expected an offer, found ${JSON.stringify(answer)}.`);
  const { plan } = answer.offer;
  await catalog.fetch(plan, signal, () => undefined);
  const kept = await openKeptModel(catalog.store, plan.id, {
    half: false,
    signal,
    onProgress: () => undefined,
  });
  ort.env.wasm.numThreads = 1;
  const runtime = new Runtime({ ort, provider: 'wasm' });
  const pipeline = await Pipeline.load(runtime, kept.open);
  return { pipeline, bridge: createBridge(runtime), identity: microIdentity, architecture: 'own' };
}

/** Of a training step. */
async function losses(base: RunBase): Promise<readonly number[]> {
  const { pipeline } = base;
  const side = pipeline.shape.resolution;
  const planes = new Random(5).fillUniform(new Float32Array(3 * side * side), -1, 1);
  const run = await TrainingRun.begin(base, {
    settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 1, seed: 7 },
    category: 'a',
    pictures: [await encodePicture((one) => pipeline.encodeImages(one, 1), planes, side, true)],
    templates: ['a {}'],
  });
  await run.next();
  run.release();
  return run.losses;
}

/** The step's loss of the model that they are all made of. */
const stock = await losses(await openMicroBase());

describe('opened', () => {
  it.each([
    ['one-file-a-tensor', (i: number) => `down_blocks.${i}.weight`],
    ['weights-of-another-name', () => 'unet.onnx_data'],
  ])('%s learns with the same numbers as with its weights in the graph', async (_, fileOf) => {
    expect(await losses(await open(await withWeightsApart(fileOf)))).toEqual(stock);
  });

  it('sample-prediction learns and draws as a network that answers with the clean picture', async () => {
    const base = await open(await withScheduler({ prediction_type: 'sample' }));
    expect(base.pipeline.schedule.predictionType).toBe('sample');
    const clean = Float32Array.of(0.5, -1);
    expect(base.pipeline.schedule.target(clean, Float32Array.of(1, 2), 500)).toEqual(clean);
    expect(await losses(base)).not.toEqual(stock);
  });
});

describe('refused before anything is copied', () => {
  it.each<[string, () => Promise<Files>, string, RegExp]>([
    [
      'weights-absent',
      withoutWeights,
      'model.layout',
      /^Expected unet\/model\.onnx_data, in which unet\/model\.onnx says that its weights lie, found no such file\./,
    ],
    [
      'clone-without-lfs',
      withPointers,
      'model.layout',
      /^[\w/]+\/model\.onnx is a Git LFS pointer, not the file/,
    ],
    [
      'betas-list',
      () => withScheduler({ trained_betas: [0.1, 0.2] }),
      'model.config',
      /trained_betas.* one number for each of the 1000 timesteps, found 2/,
    ],
    [
      'a-thousand-million-timesteps',
      () => withScheduler({ num_train_timesteps: 1e9 }),
      'model.config',
      /num_train_timesteps must be at most 10000, found 1000000000\.$/,
    ],
    [
      'negative-beta',
      () => withScheduler({ beta_start: -1 }),
      'model.config',
      /beta_start must be above 0, found -1\.$/,
    ],
    [
      'another prediction',
      () => withScheduler({ prediction_type: 'flow_prediction' }),
      'model.config',
      /prediction_type/,
    ],
  ])('%s', async (_, make, code, message) => {
    const catalog = new ModelCatalog(new ModelStore(memoryTree()));
    const planning = catalog.plan({ kind: 'folder', files: asFolder(await make()) }, signal);
    await expect(planning).rejects.toMatchObject({ code, message: expect.stringMatching(message) as string });
  });
});

it('two-models: which one is asked', async () => {
  const catalog = new ModelCatalog(new ModelStore(memoryTree()));
  const micro = await microFolder();
  const files = ['anime', 'photo'].flatMap((name) =>
    micro.map(({ path, file }) => ({ path: path.replace('micro', `two-models/${name}`), file })),
  );
  const request = { kind: 'folder', files } as const;
  expect(await catalog.plan(request, signal)).toMatchObject({
    question: { kind: 'which', choices: [{ name: 'two-models/anime/' }, { name: 'two-models/photo/' }] },
  });
  expect(await catalog.plan({ ...request, pick: 'two-models/photo/' }, signal)).toMatchObject({
    offer: { plan: { source: { kind: 'folder' } } },
  });
});
