/**
 * Narrow checkpoints of every architecture, from a diffusers folder and from a single file, against PyTorch in float32: the graphs are
 * written, compiled as any model's, and run on onnxruntime's WebAssembly. Figures are ‖a − b‖ / ‖b‖.
 */
import { Tensor, type InferenceSession } from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { preparedManifest, preparedPath, preparedSchema, type Network } from '../lib/modelLayout.ts';
import { relativeError } from '../lib/numbers.ts';
import { prepareModel } from '../onnx/model.ts';
import type { CompileOptions } from '../onnx/options.ts';
import { runContexts } from '../onnx/testing/textRuns.ts';
import { unetFlags } from '../onnx/testing/unetFlags.ts';
import { floatsOf, floatTensor, openGraph, webTensors } from '../onnx/testing/webGraph.ts';
import { openCheckpoint } from './openCheckpoint.ts';
import {
  ARCHITECTURES,
  narrowCheckpoint,
  openFiles,
  readNarrowGoldens,
  SOURCES,
} from './testing/narrowCheckpoints.ts';
import { fill } from './testing/fill.ts';

const SIZE = 16;
const RESOLUTION = 8 * SIZE;
const TOKENS = 16;
const WIDTH = 64;

const input = (name: string, dims: readonly number[]) =>
  floatTensor(
    fill(name, dims).map((x) => 8 * x),
    dims,
  );

/** Sessions of the compiled graphs. */
async function prepare(name: string, options?: CompileOptions) {
  const files = await narrowCheckpoint(name);
  const open = await openCheckpoint([...files.keys()], openFiles(files));
  const prepared = await prepareModel(open, options);
  const manifest = preparedSchema.parse(JSON.parse(new TextDecoder().decode(prepared.get(preparedManifest))));
  const session = async (part: Network) => {
    const read = async (path: string) => new Uint8Array(await (await open(path)).arrayBuffer());
    const paths = manifest.weights[part]!;
    const external = await Promise.all(paths.map(async (path) => ({ path, data: await read(path) })));
    return openGraph(prepared.get(preparedPath(part))!, external);
  };
  return { layers: manifest.layers, session };
}

/** Sum over the layers and over keys and values: the gradient towards the one context that all of them read. */
function summed(tensors: readonly Tensor[], layers: number): Float32Array {
  const size = tensors[0]!.size / layers;
  const sum = new Float32Array(size);
  for (const tensor of tensors) floatsOf(tensor).forEach((x, i) => (sum[i % size]! += x));
  return sum;
}

/** Of the rows and of the columns: what the goldens keep of a picture. */
function everyFourth(pixels: Float32Array): Float32Array {
  return pixels.filter((_, i) => i % 4 === 0 && Math.floor(i / RESOLUTION) % 4 === 0);
}

async function runUnet(session: InferenceSession, layers: number) {
  const one = floatsOf(input('context', [2, TOKENS, WIDTH]));
  const contexts = new Float32Array(layers * one.length);
  for (let layer = 0; layer < layers; layer++) contexts.set(one, layer * one.length);
  const stacked = floatTensor(contexts, [layers, 2, TOKENS, WIDTH]);
  const outputs = await session.run({
    sample: input('sample', [2, 4, SIZE, SIZE]),
    target: input('target', [2, 4, SIZE, SIZE]),
    timestep: floatTensor(Float32Array.of(501, 7), [2]),
    key_contexts: stacked,
    value_contexts: stacked,
    loss_weights: floatTensor(Float32Array.of(1, 1), [2]),
    ...unetFlags(webTensors, true),
  });
  const gradients = [outputs['grad_key_contexts']!, outputs['grad_value_contexts']!];
  return { unet: floatsOf(outputs['out_sample']), gradient: summed(gradients, layers) };
}

async function runText(session: InferenceSession) {
  const ids = BigInt64Array.from({ length: 2 * TOKENS }, (_, i) => BigInt((i * 7) % 100));
  const zeros = (...dims: number[]) => webTensors.zeros(dims, false);
  const feeds = {
    input_ids: new Tensor('int64', ids, [2, TOKENS]),
    placeholder_mask: zeros(2, TOKENS, 1),
    concept_embedding: zeros(2, 1, WIDTH),
    concept_bypass: zeros(2, WIDTH),
    bypass_scale: zeros(),
  };
  const { outputs } = await runContexts(session, feeds, webTensors);
  return floatsOf(outputs['key_contexts']);
}

const cases = ARCHITECTURES.flatMap((name) => SOURCES.map((source) => `${name}/${source}`));

it.each(cases)('the U-Net of %s answers and differentiates as in PyTorch', async (name) => {
  const expected = await readNarrowGoldens(name);
  const { layers, session } = await prepare(name);
  const { unet, gradient } = await runUnet(await session('unet'), layers);
  expect(relativeError(unet, expected('unet'))).toBeLessThanOrEqual(1e-5);
  expect(relativeError(gradient, expected('gradient'))).toBeLessThanOrEqual(1e-5);
});

/** As the page compiles a model of real size: one picture at a time within a budget, and where the card can in half precision. */
const LARGE = { activationBudget: 1e6, batch: 1 } as const;

it('the U-Net differentiates as in PyTorch within a budget of memory', async () => {
  const expected = await readNarrowGoldens('sd15/folder');
  const { layers, session } = await prepare('sd15/folder', { precision: 'float32', ...LARGE });
  const { gradient } = await runUnet(await session('unet'), layers);
  expect(relativeError(gradient, expected('gradient'))).toBeLessThanOrEqual(1e-5);
});

it.each(['sd15/single', 'sd21v/folder'])('%s compiles in half precision within a budget', async (name) => {
  const { layers } = await prepare(name, { precision: 'float16', ...LARGE });
  expect(layers).toBe(16);
});

/** Of the others, text encoder and VAE are the same. */
const whole = ['sd15', 'sd21v', 'bk-tiny'].flatMap((name) => SOURCES.map((source) => `${name}/${source}`));

it.each(whole)('text encoder and VAE of %s compute what PyTorch does', async (name) => {
  const expected = await readNarrowGoldens(name);
  const { session } = await prepare(name);
  const words = await runText(await session('text_encoder'));
  expect(relativeError(words, expected('text'))).toBeLessThanOrEqual(1e-6);
  const encoder = await session('vae_encoder');
  const { latent_parameters: moments } = await encoder.run({
    sample: input('pixels', [1, 3, RESOLUTION, RESOLUTION]),
  });
  expect(relativeError(floatsOf(moments), expected('moments'))).toBeLessThanOrEqual(1e-5);
  const decoder = await session('vae_decoder');
  const { sample } = await decoder.run({ latent_sample: input('latent', [1, 4, SIZE, SIZE]) });
  expect(relativeError(everyFourth(floatsOf(sample)), expected('pixels'))).toBeLessThanOrEqual(1e-5);
});
