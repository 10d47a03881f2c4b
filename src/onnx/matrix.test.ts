/**
 * Narrow Stable Diffusion 1.5 and 2.1 as exporters and optimizers write them, against PyTorch: all files of one model
 * have the same goldens. Runs on the native onnxruntime. Figures are ‖a − b‖ / ‖b‖, of gradients the worst layer's.
 */
import { mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { AttentionMaps } from '../lib/attentionMaps.ts';
import { relativeError } from '../lib/numbers.ts';
import { readSafetensors, toBigInt64, toFloat32 } from '../lib/safetensors.ts';
import { nativeTensors, openNative, wholeNumbers } from './testing/nativeGraph.ts';
import { withVectorAxis } from './testing/webGraph.ts';
import { runBoth } from './testing/textRuns.ts';
import { prepareTextEncoder, prepareUnchanged, prepareUnet, type Prepared } from './prepare.ts';
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from './proto/onnx_pb.ts';
import { readStock, type Stock } from './stock.ts';
import type { UnetShape } from './surgery/unet.ts';

const TOLERANCE = 1e-4;
const TOKENS = 10;
const LATENT = [4, 8, 8];

const bundle = readFileSync(new URL('fixtures/matrix.safetensors.br', import.meta.url));
const { tensors } = readSafetensors(new Uint8Array(brotliDecompressSync(bundle)));
const attention = readSafetensors(
  new Uint8Array(readFileSync(new URL('fixtures/attention.safetensors', import.meta.url))),
).tensors;
const scratch = mkdtempSync(join(tmpdir(), 'matrix-'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** Names of the files of a part: `sd15.unet.opset14`. */
function files(part: string): string[] {
  const names = [...tensors.keys()].filter((name) => name.startsWith('file.') && name.includes(`.${part}.`));
  return names.map((name) => name.slice('file.'.length));
}

/** A golden by family, part and name. */
function golden(file: string, name: string) {
  const [family, part] = file.split('.');
  return tensors.get(`${family}.${part}.${name}`)!;
}

async function open(file: string, split = false): Promise<Stock> {
  const folder = mkdtempSync(join(scratch, 'part-'));
  const { bytes } = tensors.get(`file.${file}`)!;
  const { model, data } = split ? splitWeights(bytes) : { model: bytes, data: [] };
  writeFileSync(join(folder, 'model.onnx'), model);
  writeFileSync(join(folder, 'model.onnx_data'), Buffer.concat(data));
  return readStock(`${basename(folder)}/model.onnx`, (path) => openAsBlob(join(scratch, path)));
}

/** Optimum's layout of large models: weights in `model.onnx_data`. */
function splitWeights(bytes: Uint8Array): { model: Uint8Array; data: Uint8Array[] } {
  const model = fromBinary(ModelProtoSchema, bytes);
  const data: Uint8Array[] = [];
  let offset = 0;
  for (const tensor of model.graph!.initializer.filter(({ rawData }) => rawData.length >= 256)) {
    const place = { location: 'model.onnx_data', offset, length: tensor.rawData.length };
    const entries = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
    tensor.externalData = entries.map((entry) => create(StringStringEntryProtoSchema, entry));
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    data.push(tensor.rawData);
    offset += tensor.rawData.length;
    tensor.rawData = new Uint8Array();
  }
  return { model: toBinary(ModelProtoSchema, model), data };
}

async function run(file: string, { bytes }: Prepared<unknown>, given: Readonly<Record<string, string>> = {}) {
  const session = await openNative(scratch, bytes);
  const feed = (input: string) => {
    if (input === 'compute_gradients' || input === 'attention_maps') return new Tensor('bool', [true], []);
    const tensor = golden(file, given[input] ?? input);
    if (tensor.dtype === 'I64')
      return wholeNumbers(session, input, Array.from(toBigInt64(tensor), Number), tensor.shape);
    return new Tensor('float32', toFloat32(tensor), withVectorAxis(input, tensor.shape));
  };
  const isText = session.inputNames.includes('compute_contexts');
  const names = session.inputNames.filter((name) => !/^given_|compute_contexts/.test(name));
  const feeds = Object.fromEntries(names.map((name) => [name, feed(name)]));
  const outputs = isText ? await runBoth(session, feeds, nativeTensors) : await session.run(feeds);
  await session.release();
  return outputs;
}

type Outputs = Awaited<ReturnType<typeof run>>;

/** Compares an output with a golden, each part along its first axis by itself when `parts` is set. */
function expectGolden(file: string, outputs: Outputs, output: string, name = output, parts = 1) {
  const expected = toFloat32(golden(file, name));
  const found = outputs[output]!.data as Float32Array;
  const size = expected.length / parts;
  const errors = Array.from({ length: parts }, (_, i) =>
    relativeError(found.subarray(i * size, (i + 1) * size), expected.subarray(i * size, (i + 1) * size)),
  );
  expect(found.length).toBe(expected.length);
  expect(Math.max(...errors), output).toBeLessThanOrEqual(TOLERANCE);
}

/** Where the layers look, against diffusers' attention processors (`fixtures/make_attention.py`). */
function expectMaps(outputs: Outputs, shape: UnetShape) {
  const expected = toFloat32(attention.get('sd15')!);
  const maps = new AttentionMaps({ ...shape, pictures: 3 });
  maps.add(shape.positions.map((_, i) => outputs[`attention_${i}`]!.data as Float32Array));
  expect(relativeError(maps.mean(), expected), 'attention').toBeLessThanOrEqual(TOLERANCE);
}

describe('U-Net: output, losses and the gradients of every layer', () => {
  const layouts = [
    ...files('unet').map((file) => [file, false] as const),
    ['sd15.unet.optimum', true] as const,
  ];
  it.each(layouts)('%s, weights in a file of their own: %s', async (file, split) => {
    const stock = await open(file, split);
    const contextWidth = golden(file, 'key_contexts').shape.at(-1);
    const prepared = prepareUnet(stock, { latent: LATENT, tokens: TOKENS, contextWidth });
    const outputs = await run(file, prepared);
    expect(prepared.weights.some((path) => path.endsWith('_data'))).toBe(split);
    expect(prepared.info.positions).toEqual([64, 16, 64, 64]);
    for (const name of ['out_sample', 'losses']) expectGolden(file, outputs, name);
    for (const name of ['grad_key_contexts', 'grad_value_contexts'])
      expectGolden(file, outputs, name, name, prepared.info.layers);
    if (file.startsWith('sd15')) expectMaps(outputs, prepared.info);
  });
});

describe('text encoder: contexts and gradients', () => {
  it.each(files('text'))('%s', async (file) => {
    const outputs = await run(file, prepareTextEncoder(await open(file), { tokens: TOKENS }));
    for (const name of ['key_contexts', 'value_contexts', 'grad_concept_embedding', 'grad_concept_bypass'])
      expectGolden(file, outputs, name);
  });
});

it.each([...files('vae_encoder'), ...files('vae_decoder')])('%s: output', async (file) => {
  const prepared = prepareUnchanged(await open(file), {});
  const [input, output] = file.includes('encoder')
    ? ['sample', 'latent_parameters']
    : ['latent_sample', 'sample'];
  const outputs = await run(file, prepared, { [input]: 'given' });
  expectGolden(file, outputs, output, 'expected');
});
