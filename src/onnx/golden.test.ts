/**
 * Prepared graphs against PyTorch (float32 arithmetic on the same half-rounded weights): micro models of both
 * exporters, and the shipped base model. Figures are ‖a − b‖ / ‖b‖ per tensor; gradients per layer.
 */
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Tensor } from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { AttentionMaps } from '../lib/attentionMaps.ts';
import { relativeError } from '../lib/numbers.ts';
import { floatsOf, openGraph, readTensors, webTensors, withVectorAxis } from './testing/webGraph.ts';
import { runBoth } from './testing/textRuns.ts';
import { unetFlags } from './testing/unetFlags.ts';
import type { CompileOptions } from './options.ts';
import { compileUnet, prepareTextEncoder, prepareUnchanged, prepareUnet } from './prepare.ts';
import { readStock } from './stock.ts';

const TOLERANCE = 1e-4;

/** Loading the shipped U-Net took two minutes on a machine ten times overbooked. */
const PATIENCE = { timeout: 300_000 };

const fixtures = new URL('fixtures/', import.meta.url);
const base = new URL('../../models/sticker-world/', import.meta.url);
const microGoldens = new URL('goldens.safetensors', fixtures);
/** Of `fixtures/make_attention.py`, by model. */
const attention = readTensors(new URL('attention.safetensors', fixtures), '');
const baseGoldens = new URL('goldens.safetensors', base);

async function openStock(url: URL) {
  const file = readFileSync(url);
  const bytes = new Uint8Array(url.pathname.endsWith('.gz') ? gunzipSync(file) : file);
  return { ...(await readStock('part/model.onnx', () => Promise.resolve(new Blob([bytes])))), bytes };
}

type OpenStock = Awaited<ReturnType<typeof openStock>>;

/** Outputs of one run of a prepared U-Net, or of both of a text encoder. */
async function run(
  stock: OpenStock,
  prepared: Uint8Array,
  goldens: Record<string, Tensor>,
  gradients: boolean,
) {
  const session = await openGraph(prepared, [{ path: stock.path, data: stock.bytes }]);
  const given = Object.fromEntries(
    session.inputNames
      .filter((name) => goldens[name])
      .map((name) => [name, goldens[name]!.reshape(withVectorAxis(name, goldens[name]!.dims))]),
  );
  const outputs = session.inputNames.includes('compute_contexts')
    ? await runBoth(session, given, webTensors)
    : await session.run({ ...given, ...unetFlags(webTensors, gradients, true) });
  await session.release();
  return outputs;
}

/** The worst error among the slices of a tensor along its first axis. */
function worstSlice(found: Tensor, expected: Tensor): number {
  const slices = expected.dims[0]!;
  const [a, b] = [floatsOf(found), floatsOf(expected)];
  const size = b.length / slices;
  const errors = Array.from({ length: slices }, (_, i) =>
    relativeError(a.subarray(i * size, (i + 1) * size), b.subarray(i * size, (i + 1) * size)),
  );
  return Math.max(...errors);
}

async function expectUnet(stockUrl: URL, goldensUrl: URL, options?: CompileOptions) {
  const stock = await openStock(stockUrl);
  const goldens = readTensors(goldensUrl, 'unet.');
  const { bytes, info } = prepareUnet(stock, {}, options);
  const outputs = await run(stock, bytes, goldens, true);
  for (const name of ['out_sample', 'losses'])
    expect(relativeError(floatsOf(outputs[name]), floatsOf(goldens[name])), name).toBeLessThanOrEqual(
      TOLERANCE,
    );
  for (const name of ['grad_key_contexts', 'grad_value_contexts'])
    expect(worstSlice(outputs[name]!, goldens[name]!), name).toBeLessThanOrEqual(TOLERANCE);
  const expected = attention[goldensUrl === baseGoldens ? 'base' : 'micro']!;
  const maps = new AttentionMaps({ ...info, pictures: expected.dims[0]! });
  maps.add(info.positions.map((_, i) => floatsOf(outputs[`attention_${i}`])));
  expect(maps.side).toBe(expected.dims[3]);
  expect(relativeError(maps.mean(), floatsOf(expected)), 'attention').toBeLessThanOrEqual(TOLERANCE);
}

async function expectText(stockUrl: URL, goldensUrl: URL) {
  const stock = await openStock(stockUrl);
  const goldens = readTensors(goldensUrl, 'text.');
  const outputs = await run(stock, prepareTextEncoder(stock).bytes, goldens, true);
  for (const name of ['key_contexts', 'value_contexts', 'grad_concept_embedding', 'grad_concept_bypass'])
    expect(relativeError(floatsOf(outputs[name]), floatsOf(goldens[name])), name).toBeLessThanOrEqual(
      TOLERANCE,
    );
}

describe('U-Net: output, losses and the gradients of every layer', () => {
  it.each(['micro/unet/model.onnx', 'unet_opset14.onnx.gz', 'unet_dynamo.onnx.gz'])('%s', async (path) => {
    await expectUnet(new URL(path, fixtures), microGoldens);
  });
});

describe('U-Net within a budget for its activations', PATIENCE, () => {
  const url = new URL('micro/unet/model.onnx', fixtures);
  const budgeted = { precision: 'float32', activationBudget: 5e5, batch: 3 } as const;

  it('the gradients of its segments are those of the whole', async () => {
    const { plan, graph } = compileUnet(await openStock(url), {}, budgeted);
    const segments = graph.nodes.filter(({ op, inputs }) => op === 'If' && inputs[0] === 'compute_gradients');
    expect(segments.length).toBe(plan!.segments);
    expect(plan!.segments).toBeGreaterThan(4);
    expect(plan!.extraCompute).toBeGreaterThan(0);
    expect(plan!.activationBytes).toBeLessThanOrEqual(budgeted.activationBudget);
    await expectUnet(url, microGoldens, budgeted);
  });

  it('without gradients nothing runs but the forward pass', async () => {
    const stock = await openStock(url);
    const goldens = readTensors(microGoldens, 'unet.');
    const outputs = await run(stock, prepareUnet(stock, {}, budgeted).bytes, goldens, false);
    expect(relativeError(floatsOf(outputs.out_sample), floatsOf(goldens.out_sample))).toBeLessThan(TOLERANCE);
    expect(outputs.grad_value_contexts!.size).toBe(1);
  });
});

describe('text encoder: contexts and gradients', () => {
  it.each(['micro/text_encoder/model.onnx', 'text_opset14.onnx.gz', 'text_dynamo.onnx.gz'])(
    '%s',
    async (path) => {
      await expectText(new URL(path, fixtures), microGoldens);
    },
  );
});

it('the same context in every layer gives the stock output', async () => {
  const stock = await openStock(new URL('micro/unet/model.onnx', fixtures));
  const goldens = readTensors(microGoldens, 'unet.');
  const first = floatsOf(goldens.key_contexts);
  const { dims } = goldens.key_contexts!;
  const size = first.length / dims[0]!;
  const same = Float32Array.from(first, (_, i) => first[i % size]!);
  const repeated = goldens.key_contexts!.reshape(dims);
  floatsOf(repeated).set(same);
  const inputs = { ...goldens, key_contexts: repeated, value_contexts: repeated };
  const outputs = await run(stock, prepareUnet(stock).bytes, inputs, false);
  const error = relativeError(floatsOf(outputs.out_sample), floatsOf(goldens.stock_out_sample));
  expect(error).toBeLessThanOrEqual(TOLERANCE);
  expect(outputs.grad_key_contexts!.size).toBe(1);
});

it.each([
  ['vae_encoder', 'sample', 'picture', 'latent_parameters'],
  ['vae_decoder', 'latent_sample', 'latent', 'decoded'],
])('%s computes in float32 what PyTorch does', async (part, input, given, expected) => {
  const stock = await openStock(new URL(`micro/${part}/model.onnx`, fixtures));
  const goldens = readTensors(microGoldens, 'vae.');
  const { bytes, info } = prepareUnchanged(stock, {});
  const session = await openGraph(bytes, [{ path: stock.path, data: stock.bytes }]);
  const outputs = await session.run({ [input]: goldens[given]! });
  const found = floatsOf(outputs[info.outputs[0]!]);
  expect(relativeError(found, floatsOf(goldens[expected]))).toBeLessThanOrEqual(TOLERANCE);
});

describe.skipIf(!existsSync(baseGoldens))('the shipped base model', PATIENCE, () => {
  it('U-Net', async () => {
    await expectUnet(new URL('unet/model.onnx', base), baseGoldens);
  });
  it('text encoder', async () => {
    await expectText(new URL('text_encoder/model.onnx', base), baseGoldens);
  });
});
