/** For tests of the store: a studio on storage in memory and a client that the test scripts. */
import { AppError } from '../../lib/errors.ts';
import { openMemoryStorage, type StudioStorage } from '../../storage/storage.ts';
import type {
  GenerateRequest,
  ModelList,
  Opened,
  SpaceTimeMap,
  TrainEvent,
  TrainRequest,
  TrainResult,
} from '../../worker/api.ts';
import type { StudioDeps } from '../context.ts';
import type { DecodedPicture } from '../../pictures/decode.ts';
import { createStudioStore, type StudioStore } from '../studioStore.ts';
import { browserLock } from '../trainingLock.ts';
import type { ConceptInfo } from '../../neti/conceptMetadata.ts';
import type { Pixels } from '../../pictures/pixels.ts';
import type { StudioClient } from '../../worker/studioClient.ts';

export const pixels = (shade: number): Pixels => ({
  width: 2,
  height: 2,
  data: new Uint8ClampedArray(16).fill(shade),
});

/** Runs as many steps as are asked for, with a preview at every tenth and a checkpoint at every fourth, until it is stopped. */
export async function trainQuickly(
  { settings, losses: before = [] }: TrainRequest,
  onEvent: (event: TrainEvent) => void,
  signal: AbortSignal,
): Promise<TrainResult> {
  const losses = [...before];
  let step = losses.length;
  while (step < settings.steps && !signal.aborted) {
    step += 1;
    await new Promise((resolve) => setTimeout(resolve));
    const [steps, loss] = [settings.steps, 1 / step];
    const rest = { picturesPerSecond: 8, secondsLeft: steps - step };
    losses.push(loss);
    onEvent({ type: 'progress', step, steps, loss, points: [{ step, loss, spread: 0.1 }], ...rest });
    if (step % 10 === 0)
      onEvent({ type: 'preview', step, pictures: [pixels(step)], concept: new Uint8Array([step]) });
    if (step % 4 === 0)
      onEvent({ type: 'checkpoint', step, concept: new Uint8Array([step]), losses: [...losses] });
  }
  return { concept: new Uint8Array([step]), step, stopped: signal.aborted, seconds: 1, losses: [] };
}

const never = new AbortController().signal;

const opened: Opened = {
  engine: {
    provider: 'wasm',
    adapter: null,
    softwareAdapter: false,
    threads: 2,
    crossOriginIsolated: true,
    reason: 'There is no WebGPU here.',
  },
  base: {
    id: 'base',
    title: 'Base',
    keptId: null,
    hash: 'abcdef0123456789',
    resolution: 64,
    tokens: 20,
    layers: 16,
    timesteps: 1000,
    bytes: 1,
    judged: true,
    startingMapper: true,
    defaults: {
      trainSteps: 150,
      batchSize: 4,
      previewEvery: 10,
      samplingSteps: 20,
      guidanceScale: 5,
      sampler: 'dpm-solver++-2m',
    },
    vocabulary: { words: ['a', 'photo', 'of'], categories: ['toy'], suggestions: [] },
    samples: [],
  },
};

const importedInfo: ConceptInfo = {
  name: 'imported',
  category: 'toy',
  kind: 'object',
  step: 100,
  baseId: 'base',
  baseHash: 'abc',
  created: '2026-01-01T00:00:00.000Z',
  thumbnail: '',
  tags: [],
  word: { vectors: 1, plain: false, hidden: 128 },
};

/** A map of two timesteps and two layers, alike everywhere. */
const flatMap: SpaceTimeMap = {
  timesteps: [750, 250],
  sides: [8, 4],
  components: new Float32Array(8),
  shares: [1, 0],
  norms: new Float32Array(4),
  distances: null,
  category: 'toy',
};

const emptyModelList: ModelList = {
  models: [],
  pending: [],
  usage: { models: [], incomplete: 0, quota: 1e9, usage: 0, persistent: false },
};

/** A client whose every call does at once what it should, unless the test says otherwise. */
export function scriptedClient(overrides: Partial<StudioClient> = {}): StudioClient {
  return {
    open: () => Promise.resolve(opened),
    reconstruct: (picture) => Promise.resolve({ picture, psnr: 25 }),
    checkCategory: () => Promise.resolve(),
    checkPrompt: (prompt) =>
      Promise.resolve({ tokens: prompt.split(' ').length, conceptTokens: 0, maxTokens: 20 }),
    train: (request, options) =>
      trainQuickly(request, options?.onEvent ?? (() => undefined), options?.signal ?? never),
    generate: ({ seeds }: GenerateRequest) =>
      Promise.resolve({ pictures: seeds.map((seed) => pixels(seed % 256)), seconds: 1 }),
    attention: ({ prompt }) =>
      Promise.resolve({ side: 1, words: [{ text: prompt, map: Float32Array.of(0.5) }] }),
    score: ({ pictures }) => Promise.resolve(pictures.map(() => ({ likeness: 0.5, prompt: 0.5 }))),
    spaceTime: () => Promise.resolve(flatMap),
    nearestWords: () => Promise.resolve([{ word: 'toy', cosine: 0.5 }]),
    inspectConcept: () => Promise.resolve(importedInfo),
    importConcepts: ([first]) => Promise.resolve([first!.bytes]),
    exportConcept: (bytes, format) => Promise.resolve({ bytes, ending: `${format}.zip` }),
    relabelConcept: (file) => Promise.resolve(file),
    models: () => Promise.resolve(emptyModelList),
    knownModels: () => Promise.resolve([]),
    planModel: () => Promise.reject(new AppError('model.layout', 'There is no model.')),
    resumeModel: () => Promise.reject(new AppError('model.none', 'There is no model.')),
    fetchModel: () => Promise.resolve(),
    removeModel: () => Promise.resolve(),
    onDeath: () => undefined,
    ...overrides,
  };
}

/** A client's `generate`, and what it was asked for; refuses as the worker does once it is cancelled. */
export function recordingGenerate(): { requests: GenerateRequest[]; generate: StudioClient['generate'] } {
  const requests: GenerateRequest[] = [];
  const { generate } = scriptedClient();
  return {
    requests,
    generate: (request, options) => {
      if (options?.signal?.aborted) return Promise.reject(new AppError('cancelled', 'Cancelled.'));
      requests.push(request);
      return generate(request);
    },
  };
}

/** A client's `importConcepts`, and the names of the files that it was given together. */
export function recordingImports(): { groups: string[][]; importConcepts: StudioClient['importConcepts'] } {
  const groups: string[][] = [];
  const { importConcepts } = scriptedClient();
  return {
    groups,
    importConcepts: (files) => {
      groups.push(files.map(({ name }) => name));
      return importConcepts(files);
    },
  };
}

const decoded: DecodedPicture = {
  source: new Blob(['picture']),
  width: 2,
  height: 2,
  transparent: false,
  animated: false,
};

export interface TestStudio {
  readonly store: StudioStore;
  readonly storage: StudioStorage;
}

/** A studio that has started. */
export async function startStudio(overrides: Partial<StudioDeps> = {}): Promise<TestStudio> {
  const studio = makeStudio(overrides);
  await studio.store.getState().start();
  return studio;
}

/** A studio before its start. Clocks and ids count up. */
export function makeStudio(overrides: Partial<StudioDeps> = {}): TestStudio {
  let ticks = 0;
  const deps: StudioDeps = {
    client: scriptedClient(),
    storage: openMemoryStorage(),
    images: {
      decode: () => Promise.resolve(decoded),
      square: () => Promise.resolve(pixels(9)),
      card: () => Promise.resolve(pixels(7)),
    },
    lock: browserLock(undefined),
    notifier: {
      permission: () => 'missing',
      ask: () => Promise.resolve('missing'),
      show: () => undefined,
    },
    updates: { onReady: () => undefined, apply: () => undefined },
    root: 'http://localhost/',
    fetchFile: (path) => Promise.resolve(new File(['picture'], path)),
    fetchLink: () => Promise.reject(new TypeError('Failed to fetch')),
    trainSettings: () => ({
      variant: 'neti',
      start: 'starting-mapper',
      steps: 150,
      learningRate: 8e-3,
      nestedDropout: 0.5,
      batchSize: 8,
      seed: 0,
      horizontalFlip: true,
      previewEvery: 10,
      previewPrompts: ['A photo of {}'],
    }),
    onLeave: () => undefined,
    now: () => new Date(Date.UTC(2026, 0, 1) + 1000 * ticks++).toISOString(),
    newId: () => `id-${ticks++}`,
    randomSeed: () => 77,
    ...overrides,
  };
  return { store: createStudioStore(deps), storage: deps.storage };
}

/** Pictures and form of a concept that can be trained. */
export async function fillIn({ store }: Pick<TestStudio, 'store'>, steps = 30): Promise<void> {
  await store.getState().addPictures([new File(['picture'], 'one.png')]);
  store.getState().edit({ name: 'tin robot', category: 'toy', trainSteps: `${steps}` });
}

/** Teaches concepts of these names, one after another. */
export async function teachAll(
  { store }: Pick<TestStudio, 'store'>,
  names: readonly string[],
  steps?: number,
): Promise<void> {
  for (const name of names) {
    await fillIn({ store }, steps);
    store.getState().edit({ name });
    await store.getState().train();
  }
}
