/** Seconds of the studio's graphs on a provider of onnxruntime-node, and which kernels they go to. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { median } from 'simple-statistics';
import { AppError } from '../../lib/errors.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';
import { nativeTensors } from '../../onnx/testing/nativeGraph.ts';
import { runContexts, runGradients } from '../../onnx/testing/textRuns.ts';
import { unetFlags } from '../../onnx/testing/unetFlags.ts';
import { textFeeds, unetFeeds, type Feeds } from './feeds.ts';
import { open, type Part, type NativeProvider } from './graphs.ts';
import { sumProfile, type Share } from './profile.ts';

export interface Task {
  /** Holds the stock unet/model.onnx and text_encoder/model.onnx. */
  readonly folder: string;
  readonly provider: NativeProvider;
  /** Pictures a call. */
  readonly batch: number;
  /** Calls timed, after two that are not. */
  readonly steps: number;
}

/** Medians in seconds a picture. */
export interface Times {
  readonly forward: number;
  /** Text encoder, U-Net forward and backward, text encoder's gradient. */
  readonly training: number;
  /** The U-Net's part of `training`. */
  readonly unet: number;
}

const WARM_UP = 2;

/** Times forward passes and training pictures. Throws `bench.numbers` when what comes out is not finite. */
export async function timeSteps(task: Task, shape: UnetShape): Promise<Times> {
  const unet = await open(task.folder, 'unet', task.provider);
  const text = await open(task.folder, 'text_encoder', task.provider);
  const run = new Steps(unet, text, shape, task.batch);
  const perPicture = (seconds: readonly number[]) => median(seconds.slice(WARM_UP)) / task.batch;
  const forward: number[] = [];
  const training: number[] = [];
  const inUnet: number[] = [];
  for (let i = 0; i < WARM_UP + task.steps; i++) forward.push(await timed(() => run.forward()));
  for (let i = 0; i < WARM_UP + task.steps; i++)
    training.push(await timed(async () => inUnet.push(await run.train())));
  await unet.release();
  await text.release();
  return { forward: perPicture(forward), training: perPicture(training), unet: perPicture(inUnet) };
}

/** Kernels of two training steps by operator, for each graph. */
export async function profileSteps(task: Task, shape: UnetShape): Promise<Record<Part, Share[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'neti-profile-'));
  const openProfiled = (part: Part) =>
    open(task.folder, part, task.provider, { enableProfiling: true, profileFilePrefix: join(folder, part) });
  try {
    const [unet, text] = [await openProfiled('unet'), await openProfiled('text_encoder')];
    const run = new Steps(unet, text, shape, task.batch);
    for (let i = 0; i < 2; i++) await run.train();
    for (const session of [unet, text]) {
      session.endProfiling();
      await session.release();
    }
    return {
      unet: await readProfile(folder, 'unet'),
      text_encoder: await readProfile(folder, 'text_encoder'),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readProfile(folder: string, part: Part): Promise<Share[]> {
  const file = (await readdir(folder)).find((name) => name.startsWith(part));
  if (file) return sumProfile(await readFile(join(folder, file), 'utf8'));
  throw new AppError('bench.profile', `Expected onnxruntime to write a profile of ${part}, found none.`);
}

/** What a run of a graph gives, as the bindings type it. */
type Outputs = InferenceSession.OnnxValueMapType;

const CONTEXTS = ['key_contexts', 'value_contexts'] as const;
const GRADIENTS = ['grad_key_contexts', 'grad_value_contexts'] as const;

/** Inputs are drawn once, so that what is timed is the graphs. */
class Steps {
  private readonly unetInputs: Feeds;
  private readonly textInputs: Feeds;
  /** A context of each layer and picture, as the U-Net and as the text encoder see it. */
  private readonly stacked: readonly number[];
  private readonly rows: readonly number[];

  constructor(
    private readonly unet: InferenceSession,
    private readonly text: InferenceSession,
    shape: UnetShape,
    batch: number,
  ) {
    const { layers, tokens, contextWidth } = shape;
    this.unetInputs = unetFeeds(shape, batch);
    this.textInputs = textFeeds(layers * batch, shape);
    this.stacked = [layers, batch, tokens, contextWidth];
    this.rows = [layers * batch, tokens, contextWidth];
  }

  async forward(): Promise<void> {
    const feeds = { ...this.unetInputs, ...unetFlags(nativeTensors, false) };
    checkFinite(await this.unet.run(feeds, ['out_sample']), 'out_sample');
  }

  /** Seconds in the U-Net. */
  async train(): Promise<number> {
    const encoded = await runContexts(this.text, this.textInputs, nativeTensors);
    const start = performance.now();
    const feeds = { ...this.unetInputs, ...reshaped(encoded.outputs, CONTEXTS, this.stacked) };
    const found = await this.unet.run({ ...feeds, ...unetFlags(nativeTensors, true) }, [
      'losses',
      ...GRADIENTS,
    ]);
    const seconds = (performance.now() - start) / 1000;
    checkFinite(found, 'losses');
    const upstream = reshaped(found, GRADIENTS, this.rows);
    const feedsBack = { ...this.textInputs, ...upstream, ...encoded.given };
    checkFinite(await runGradients(this.text, feedsBack, nativeTensors), 'grad_concept_embedding');
    return seconds;
  }
}

function reshaped(tensors: Outputs, names: readonly string[], dims: readonly number[]): Feeds {
  return Object.fromEntries(names.map((name) => [name, tensors[name]!.reshape(dims)]));
}

function checkFinite(outputs: Outputs, name: string): void {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array && data.every(Number.isFinite)) return;
  throw new AppError('bench.numbers', `Expected finite numbers in ${name}, found others.`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
