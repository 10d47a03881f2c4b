/** The compiler's contract: what prepared graphs refer to, what whole-model preparation writes, what it refuses. */
import { readFileSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { relativeError } from '../lib/numbers.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { floatsOf, openGraph, readTensors } from '../tools/runGraph.ts';
import { BATCH } from './dims.ts';
import { flattenSmallConvolutions } from './fold/small-convolutions.ts';
import { Graph, ints } from './graph.ts';
import { ModelProtoSchema } from './proto/onnx_pb.ts';
import { isCurrent, MANIFEST_PATH, prepareModel, type PreparedManifest } from './model.ts';
import { prepareTextEncoder, prepareUnet } from './prepare.ts';
import { readModel } from './read.ts';
import { makeConstant, readConstant } from './values.ts';
import { writeModel } from './write.ts';

const micro = new URL('fixtures/micro/', import.meta.url);
const readMicro = (path: string) => Promise.resolve(new Uint8Array(readFileSync(new URL(path, micro))));
const unetPath = 'unet/model.onnx';
const unet = { path: unetPath, bytes: await readMicro(unetPath) };

function caught(run: () => unknown): AppError {
  try {
    run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('expected an AppError, found none');
}

/** The stock U-Net with one operator replaced by another. */
function altered(from: string, to: string): { path: string; bytes: Uint8Array } {
  const model = fromBinary(ModelProtoSchema, unet.bytes);
  for (const node of model.graph!.node) if (node.opType === from) node.opType = to;
  return { path: unetPath, bytes: toBinary(ModelProtoSchema, model) };
}

describe('prepared graphs', () => {
  const prepared = readModel({ path: 'prepared/unet.onnx', bytes: prepareUnet(unet).bytes });

  test('store no weight: every large constant points at its bytes in the stock file', () => {
    const stock = [...readModel(unet).constants.values()].filter(({ content }) => content.kind === 'stored');
    const bytesAt = new Map(
      stock.map(({ content }) => [content.kind === 'stored' ? content.offset : -1, content]),
    );
    const references = [...prepared.constants.values()].filter(
      ({ content }) => content.kind === 'stored' && content.bytes === undefined,
    );
    expect(references.length).toBeGreaterThan(200);
    for (const { content } of references) {
      if (content.kind !== 'stored') continue;
      expect(content.location).toBe(`prepared/${unetPath}`);
      expect(bytesAt.get(content.offset)?.bytes?.byteLength).toBe(content.length);
    }
  });

  test('keep the batch free in every input and output', () => {
    const free = [...prepared.inputs].filter(([, { dims }]) => dims.includes(BATCH)).map(([name]) => name);
    expect(free.sort()).toEqual(
      ['key_contexts', 'loss_weights', 'sample', 'target', 'timestep', 'value_contexts'].sort(),
    );
  });

  test('are free of shape arithmetic', () => {
    expect(prepared.nodes.filter(({ op }) => op === 'Shape')).toEqual([]);
  });

  test('are the same bytes each time', () => {
    expect(prepareUnet(unet).bytes).toEqual(prepareUnet(unet).bytes);
  });
});

describe('prepareModel', () => {
  test('writes four graphs and a manifest with sizes and hashes', async () => {
    const files = await prepareModel(readMicro);
    const names = ['unet', 'text_encoder', 'vae_encoder', 'vae_decoder'].map(
      (part) => `prepared/${part}.onnx`,
    );
    expect([...files.keys()]).toEqual([...names, MANIFEST_PATH]);
    const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST_PATH))) as PreparedManifest;
    expect(manifest).toMatchObject({ layers: 16, tokens: 20, contextWidth: 16, latent: [4, 8, 8] });
    expect(manifest.positions).toEqual([64, 64, 16, 16, 4, 4, 1, 4, 4, 4, 16, 16, 16, 64, 64, 64]);
    expect(manifest.sources[unetPath]).toBe(await sha256Hex(unet.bytes));
    expect(manifest.files['unet.onnx']).toBe(await sha256Hex(files.get('prepared/unet.onnx')!));
    expect(await isCurrent(manifest, readMicro)).toBe(true);
    const other = (path: string) => readMicro(path === unetPath ? 'vae_decoder/model.onnx' : path);
    expect(await isCurrent(manifest, other)).toBe(false);
    expect(await isCurrent({ ...manifest, compilerVersion: 0 }, readMicro)).toBe(false);
  });

  test('the shipped prepared graphs match the shipped stock graphs', async () => {
    const base = new URL('../../models/sticker-world/', import.meta.url);
    const read = (path: string) => Promise.resolve(new Uint8Array(readFileSync(new URL(path, base))));
    for (const [path, bytes] of await prepareModel(read))
      expect(Buffer.compare(bytes, await read(path)), path).toBe(0);
  });
});

describe('refusals', () => {
  test('an unknown operator is named with its node and tensor', () => {
    const stock = altered('Erf', 'Bessel');
    const error = caught(() => prepareUnet(stock));
    const [erf] = readModel(unet).nodes.filter(({ op }) => op === 'Erf');
    expect(error.code).toBe('onnx/unknown-op');
    for (const part of ['Bessel', erf!.name, erf!.outputs[0]!]) expect(error.message).toContain(`${part}`);
  });

  test('an operator without a derivative is named with its node and tensor', () => {
    const stock = altered('Erf', 'Ceil');
    const error = caught(() => prepareUnet(stock));
    const last = readModel(unet).nodes.findLast(({ op }) => op === 'Erf')!;
    expect(error.code).toBe('onnx/no-derivative');
    for (const part of ['Ceil', last.name, last.outputs[0]!]) expect(error.message).toContain(part);
  });

  test.each([
    ['not an ONNX file', new TextEncoder().encode('<!doctype html>'), 'onnx/parse'],
    ['an empty file', new Uint8Array(), 'onnx/parse'],
    ['half a file', unet.bytes.slice(0, unet.bytes.length >> 1), 'onnx/parse'],
  ])('%s', (_, bytes, code) => {
    expect(caught(() => prepareUnet({ path: unetPath, bytes })).code).toBe(code);
  });

  test('a U-Net without cross-attention', () => {
    const stock = altered('Softmax', 'Sigmoid');
    expect(caught(() => prepareUnet(stock)).code).toBe('onnx/cross-attention');
  });

  test('a model of another kind', () => {
    expect(caught(() => prepareTextEncoder(unet)).message).toContain('input_ids');
  });

  test('a configuration that contradicts the graph', () => {
    const error = caught(() => prepareUnet(unet, { tokens: 77 }));
    expect(error.code).toBe('onnx/size');
    expect(error.message).toContain('77');
  });
});

test('stored constants keep their values', () => {
  const goldens = readTensors(new URL('fixtures/goldens.safetensors', import.meta.url), 'unet.');
  expect(floatsOf(goldens.out_sample).length).toBe(3 * 4 * 8 * 8);
  const constants = [...readModel(unet).constants.values()].filter(({ type }) => type === 'float16');
  const values = constants.flatMap((constant) => readConstant(constant)!.values as number[]);
  expect(values.every((value) => Number.isFinite(value) && Math.abs(value) < 10)).toBe(true);
});

describe('small convolutions as dense products', () => {
  const shapes = [
    { name: '2×2, kernel 3', picture: 2, kernel: 3, stride: 1, pad: 1 },
    { name: '1×1, kernel 3', picture: 1, kernel: 3, stride: 1, pad: 1 },
    { name: '2×2 to 1×1, stride 2', picture: 2, kernel: 3, stride: 2, pad: 1 },
    { name: '1×1, kernel 1', picture: 1, kernel: 1, stride: 1, pad: 0 },
    { name: '2×2, kernel 2, some taps outside', picture: 2, kernel: 2, stride: 2, pad: 1 },
  ];

  test.each(shapes)('$name', async ({ picture, kernel, stride, pad }) => {
    const size = Math.floor((picture + 2 * pad - kernel) / stride) + 1;
    const direct = convolution(picture, kernel, stride, pad, size);
    const dense = convolution(picture, kernel, stride, pad, size);
    flattenSmallConvolutions(dense);
    expect(dense.nodes.map(({ op }) => op)).not.toContain('Conv');
    const x = Float32Array.from({ length: 3 * 2 * picture ** 2 }, (_, i) => Math.sin(2.1 * i));
    const [a, b] = [await evaluate(direct, x, picture), await evaluate(dense, x, picture)];
    expect(a.length).toBe(3 * 4 * size ** 2);
    expect(relativeError(b, a)).toBeLessThan(1e-6);
  });

  function convolution(picture: number, kernel: number, stride: number, pad: number, size: number): Graph {
    const graph = new Graph(20);
    graph.addInput('x', { type: 'float32', dims: [BATCH, 2, picture, picture] });
    const weights = Array.from({ length: 8 * kernel ** 2 }, (_, i) => Math.cos(1.3 * i));
    graph.addConstant('w', makeConstant('float32', [4, 2, kernel, kernel], weights));
    graph.addConstant('b', makeConstant('float32', [4], [1, -2, 3, 0.5]));
    const attributes = {
      kernel_shape: ints([kernel, kernel]),
      strides: ints([stride, stride]),
      pads: ints([pad, pad, pad, pad]),
    };
    graph.nodes.push({ op: 'Conv', name: 'conv', inputs: ['x', 'w', 'b'], outputs: ['y'], attributes });
    graph.types.set('y', { type: 'float32', dims: [BATCH, 4, size, size] });
    graph.outputs.push('y');
    return graph;
  }

  async function evaluate(graph: Graph, x: Float32Array, picture: number): Promise<Float32Array> {
    const session = await openGraph(writeModel(graph, new Map()));
    const { Tensor } = await import('onnxruntime-web');
    const outputs = await session.run({ x: new Tensor('float32', x, [3, 2, picture, picture]) });
    return floatsOf(outputs.y);
  }
});
