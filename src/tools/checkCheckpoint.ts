/**
 * `npm run check-checkpoint -- DIR`: opens the single file of Stable Diffusion 1.5's real size that
 * checkpoint/fixtures/make_full_size.py left in DIR, says in what time and memory, and compares its networks in native onnxruntime with PyTorch.
 */
import { openAsBlob } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { fill } from '../checkpoint/testing/narrowCheckpoints.ts';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';
import { configPath, graphPath, layout, NETWORKS, preparedPath, type Network } from '../lib/modelLayout.ts';
import { relativeError } from '../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../lib/safetensors.ts';
import { prepareModel } from '../onnx/model.ts';
import { nativeTensors, openNative } from '../onnx/testing/nativeGraph.ts';
import { unetFlags } from '../onnx/testing/unetFlags.ts';
import { runContexts } from '../onnx/testing/textRuns.ts';

const SIZE = 32;
const LAYERS = 16;
const CONTEXT = [1, 77, 768];
const LATENT = [1, 4, SIZE, SIZE];
/** As the page compiles a model of this size (intake/compileOptions.ts). */
const OPTIONS = { precision: 'float32', activationBudget: 2e9, batch: 1 } as const;

const tensor = (values: Float32Array, dims: readonly number[]) => new Tensor('float32', values, dims);
const input = (name: string, dims: readonly number[]) =>
  tensor(
    fill(name, dims).map((x) => 8 * x),
    dims,
  );
const floats = (found: { readonly data: unknown } | undefined) => found?.data as Float32Array;

/** Graphs by path, and a folder in which onnxruntime finds their weights. */
async function compile(folder: string) {
  const file = await openAsBlob(join(folder, layout.checkpoint));
  const open: OpenFile = (path) => {
    if (path === layout.checkpoint) return Promise.resolve(file);
    if (path === configPath('unet')) return Promise.resolve(new Blob([`{"sample_size":${SIZE}}`]));
    return Promise.reject(missingFile(folder, path));
  };
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const stock = await openCheckpoint([layout.checkpoint], open);
  for (const part of NETWORKS) await stock(graphPath(part));
  const opened = performance.now();
  const graphs = await prepareModel(stock, OPTIONS);
  const seconds = [opened - start, performance.now() - opened].map((ms) => (ms / 1000).toFixed(2));
  const memory = (process.resourceUsage().maxRSS * 1024 - before) / 1e6;
  console.log(`opened in ${seconds[0]} s, compiled in ${seconds[1]} s, ${memory.toFixed(0)} MB at most`);
  return { graphs, home: await lay(folder, stock) };
}

async function lay(folder: string, stock: OpenFile): Promise<string> {
  const home = join(folder, 'run');
  await rm(home, { recursive: true, force: true });
  for (const part of NETWORKS) {
    await mkdir(join(home, part), { recursive: true });
    await link(join(folder, layout.checkpoint), join(home, part, layout.checkpoint));
    const graph = await stock(graphPath(part));
    await writeFile(join(home, graphPath(part)), new Uint8Array(await graph.arrayBuffer()));
  }
  return home;
}

async function runText(session: InferenceSession): Promise<Float32Array> {
  const ids = BigInt64Array.from({ length: 77 }, (_, i) => BigInt((i * 641) % 49_408));
  const zeros = (...dims: number[]) => nativeTensors.zeros(dims, false);
  const feeds = {
    input_ids: new Tensor('int64', ids, [1, 77]),
    placeholder_mask: zeros(1, 77, 1),
    concept_embedding: zeros(1, 1, 768),
    concept_bypass: zeros(1, 768),
    bypass_scale: zeros(),
  };
  const { outputs } = await runContexts(session, feeds, nativeTensors);
  return floats(outputs['key_contexts']);
}

/** Output, and the gradient towards the one context that all layers read. */
async function runUnet(session: InferenceSession) {
  const one = floats(input('context', CONTEXT));
  const all = new Float32Array(LAYERS * one.length);
  for (let layer = 0; layer < LAYERS; layer++) all.set(one, layer * one.length);
  const contexts = tensor(all, [LAYERS, ...CONTEXT]);
  const start = performance.now();
  const outputs = await session.run({
    sample: input('sample', LATENT),
    target: input('target', LATENT),
    timestep: tensor(Float32Array.of(501), [1]),
    key_contexts: contexts,
    value_contexts: contexts,
    loss_weights: tensor(Float32Array.of(1), [1]),
    ...unetFlags(nativeTensors, true),
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`a training step took ${seconds} s, its loss is ${floats(outputs['losses'])[0]}`);
  const gradient = new Float32Array(one.length);
  for (const name of ['grad_key_contexts', 'grad_value_contexts'])
    floats(outputs[name]).forEach((x, i) => (gradient[i % one.length]! += x));
  return { unet: floats(outputs['out_sample']), gradient };
}

async function main(folder: string): Promise<void> {
  const { graphs, home } = await compile(folder);
  const { tensors } = readSafetensors(new Uint8Array(await readFile(join(folder, 'goldens.safetensors'))));
  const compare = (name: string, found: Float32Array) => {
    console.log(`${name}: ${relativeError(found, toFloat32(tensors.get(name)!)).toExponential(1)}`);
  };
  const using = async <T>(part: Network, run: (session: InferenceSession) => Promise<T>): Promise<T> => {
    const session = await openNative(home, graphs.get(preparedPath(part))!);
    const found = await run(session);
    await session.release();
    return found;
  };
  compare('text', await using('text_encoder', runText));
  const latents = { latent_sample: input('latent', LATENT) };
  const { sample } = await using('vae_decoder', (session) => session.run(latents));
  compare('pixels', floats(sample));
  const { unet, gradient } = await using('unet', runUnet);
  compare('unet', unet);
  compare('gradient', gradient);
}

await main(resolve(process.argv[2] ?? '.'));
