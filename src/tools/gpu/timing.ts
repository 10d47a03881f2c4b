/**
 * The studio's graphs on a graphics card, without a browser: onnxruntime-node holds the WebGPU provider that
 * onnxruntime-web compiles to WebAssembly, with the same kernels (on Dawn, through Vulkan, Metal or Direct3D 12).
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { median } from 'simple-statistics';
import { AppError } from '../../lib/errors.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { Random } from '../../lib/random.ts';
import type { CompileOptions } from '../../onnx/options.ts';
import { prepareTextEncoder, prepareUnet } from '../../onnx/prepare.ts';
import { readStock } from '../../onnx/stock.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';
import { openFolder } from '../modelFolder.ts';
import { sumProfile, type Share } from './profile.ts';

export type Provider = 'webgpu' | 'cpu';

export interface Task {
  /** Holds the stock unet/model.onnx and text_encoder/model.onnx. */
  readonly folder: string;
  readonly provider: Provider;
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

type Part = 'unet' | 'text_encoder';
type Feeds = Record<string, Tensor>;

const warmUp = 2;
/** The placeholder's position in the prompt. */
const place = 5;
const contextNames = ['key_contexts', 'value_contexts'] as const;

/** Compiles both graphs beside their stock files, which they refer to for their weights; `options` are the U-Net's. */
export async function compile(folder: string, options: CompileOptions): Promise<UnetShape> {
  const stock = (part: Part) => readStock(`${part}/model.onnx`, openFolder(folder));
  await writeFile(graphPath(folder, 'text_encoder'), prepareTextEncoder(await stock('text_encoder')).bytes);
  const { bytes, info } = prepareUnet(await stock('unet'), {}, options);
  await writeFile(graphPath(folder, 'unet'), bytes);
  return info;
}

function graphPath(folder: string, part: Part): string {
  return join(folder, `bench-${part}.onnx`);
}

/** Times forward passes and training pictures. Throws `bench.numbers` when what comes out is not finite. */
export async function timeSteps(task: Task, shape: UnetShape): Promise<Times> {
  const unet = await open(task, 'unet');
  const text = await open(task, 'text_encoder');
  const run = new Steps(unet, text, shape, task.batch);
  const perPicture = (seconds: readonly number[]) => median(seconds.slice(warmUp)) / task.batch;
  const forward: number[] = [];
  const training: number[] = [];
  const inUnet: number[] = [];
  for (let i = 0; i < warmUp + task.steps; i++) forward.push(await timed(() => run.forward()));
  for (let i = 0; i < warmUp + task.steps; i++)
    training.push(await timed(async () => inUnet.push(await run.train())));
  await unet.release();
  await text.release();
  return { forward: perPicture(forward), training: perPicture(training), unet: perPicture(inUnet) };
}

/** Kernels of two training steps by operator, for each graph. */
export async function profileSteps(task: Task, shape: UnetShape): Promise<Record<Part, Share[]>> {
  const folder = await mkdtemp(join(tmpdir(), 'neti-profile-'));
  const openProfiled = (part: Part) =>
    open(task, part, { enableProfiling: true, profileFilePrefix: join(folder, part) });
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

async function open(
  { folder, provider }: Task,
  part: Part,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(graphPath(folder, part), {
      executionProviders: [provider],
      logSeverityLevel: 3,
      ...options,
    });
  } catch (error) {
    const advice =
      'On Linux it needs libvulkan.so.1 and the driver’s ICD file (VK_ICD_FILENAMES names one). ';
    throw new AppError(
      'bench.session',
      `Expected ${part} to load on ${provider}. ${advice}${String(error)}`,
      {
        cause: error,
      },
    );
  }
}

class Steps {
  private readonly contexts: Feeds;

  constructor(
    private readonly unet: InferenceSession,
    private readonly text: InferenceSession,
    private readonly shape: UnetShape,
    private readonly batch: number,
  ) {
    this.contexts = randomContexts(shape, batch);
  }

  async forward(): Promise<void> {
    await runUnet(this.unet, this.shape, this.batch, this.contexts, false);
  }

  /** Seconds in the U-Net. */
  async train(): Promise<number> {
    const { layers, tokens, contextWidth } = this.shape;
    const rows = layers * this.batch;
    const feeds = textFeeds(rows, this.shape);
    const encoded = await this.text.run({ ...feeds, compute_gradients: flag(false) }, [...contextNames]);
    const dims = [layers, this.batch, tokens, contextWidth];
    const contexts = Object.fromEntries(contextNames.map((name) => [name, encoded[name]!.reshape(dims)]));
    let gradients: InferenceSession.OnnxValueMapType = {};
    const seconds = await timed(async () => {
      gradients = await runUnet(this.unet, this.shape, this.batch, contexts, true);
    });
    const upstream = Object.fromEntries(
      contextNames.map((name) => [
        `grad_${name}`,
        gradients[`grad_${name}`]!.reshape([rows, tokens, contextWidth]),
      ]),
    );
    const found = await this.text.run({ ...feeds, ...upstream, compute_gradients: flag(true) }, [
      'grad_concept_embedding',
      'grad_concept_bypass',
    ]);
    checkFinite(found.grad_concept_embedding!, 'the gradient of the word vectors');
    return seconds;
  }
}

async function runUnet(
  unet: InferenceSession,
  { latent }: UnetShape,
  batch: number,
  contexts: Feeds,
  gradients: boolean,
): Promise<InferenceSession.OnnxValueMapType> {
  const feeds = {
    ...contexts,
    sample: random([batch, ...latent]),
    target: random([batch, ...latent]),
    timestep: integers(
      Array.from({ length: batch }, () => 500),
      [batch],
    ),
    loss_weights: new Tensor('float32', new Float32Array(batch).fill(1 / batch), [batch]),
    compute_gradients: flag(gradients),
  };
  const fetches = gradients ? ['losses', 'grad_key_contexts', 'grad_value_contexts'] : ['out_sample'];
  const outputs = await unet.run(feeds, fetches);
  checkFinite(outputs[fetches[0]!]!, fetches[0]!);
  return outputs;
}

function textFeeds(rows: number, { tokens, contextWidth }: UnetShape): Feeds {
  const mask = Float32Array.from({ length: rows * tokens }, (_, i) => Number(i % tokens === place));
  return {
    input_ids: integers(
      Array.from({ length: rows * tokens }, (_, i) => 320 + (i % tokens)),
      [rows, tokens],
    ),
    placeholder_mask: new Tensor('float32', mask, [rows, tokens]),
    concept_embedding: random([rows, contextWidth]),
    concept_bypass: random([rows, contextWidth]),
    bypass_scale: new Tensor('float32', Float32Array.of(0.2), []),
    grad_key_contexts: random([rows, tokens, contextWidth]),
    grad_value_contexts: random([rows, tokens, contextWidth]),
  };
}

function randomContexts({ layers, tokens, contextWidth }: UnetShape, batch: number): Feeds {
  const dims = [layers, batch, tokens, contextWidth];
  return Object.fromEntries(contextNames.map((name) => [name, random(dims)]));
}

function random(dims: readonly number[]): Tensor {
  return new Tensor('float32', new Random(0).fillNormal(new Float32Array(sizeOf(dims))), dims);
}

function integers(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values.map(BigInt)), dims);
}

function flag(value: boolean): Tensor {
  return new Tensor('bool', [value], []);
}

function checkFinite({ data }: Tensor, name: string): void {
  if (data instanceof Float32Array && data.every(Number.isFinite)) return;
  throw new AppError('bench.numbers', `Expected finite numbers in ${name}, found others.`);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
