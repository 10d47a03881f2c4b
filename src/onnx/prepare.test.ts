/** The compiler's contract: what prepared graphs refer to, what whole-model preparation writes, what it refuses. */
import { openAsBlob, readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { relativeError } from '../lib/numbers.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { floatsOf, openGraph } from './testing/webGraph.ts';
import { BATCH } from './dims.ts';
import { flattenSmallConvolutions } from './passes/smallConvolutions.ts';
import { Graph, ints } from './graph.ts';
import { ModelProtoSchema, TensorProtoSchema, type NodeProto } from './proto/onnx_pb.ts';
import { preparedManifest, type PreparedManifest } from '../lib/modelLayout.ts';
import { isCurrent, planTraining, prepareModel } from './model.ts';
import { prepareTextEncoder, prepareUnet } from './prepare.ts';
import { readModel } from './read.ts';
import { makeConstant, readConstant } from './values.ts';
import { readStock, type Stock } from './stock.ts';
import { writeModel } from './write.ts';

const micro = new URL('fixtures/micro/', import.meta.url);
const openMicro = (path: string) => openAsBlob(new URL(path, micro));
const UNET_PATH = 'unet/model.onnx';
const unetBytes = readFileSync(new URL(UNET_PATH, micro));
const unet = await readStock(UNET_PATH, openMicro);

const stockOf = (bytes: Uint8Array<ArrayBuffer>) =>
  readStock(UNET_PATH, () => Promise.resolve(new Blob([bytes])));

async function caught(run: () => unknown): Promise<AppError> {
  try {
    await run();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('expected an AppError, found none');
}

/** The stock U-Net with one operator replaced by another. */
function altered(from: string, to: string): Promise<Stock> {
  const model = fromBinary(ModelProtoSchema, unetBytes);
  for (const node of model.graph!.node) if (node.opType === from) node.opType = to;
  return stockOf(toBinary(ModelProtoSchema, model));
}

describe('prepared graphs', async () => {
  const { bytes, weights } = prepareUnet(unet);
  const openPrepared = (path: string) =>
    path === 'prepared/unet.onnx'
      ? Promise.resolve(new Blob([bytes as Uint8Array<ArrayBuffer>]))
      : openMicro(path.replace('prepared/', ''));
  const prepared = readModel(await readStock('prepared/unet.onnx', openPrepared));

  it('store no weight: every large constant points at its bytes in the stock file', () => {
    const stored = (graph: Graph) =>
      [...graph.constants.values()].flatMap(({ content }) => (content.kind === 'stored' ? [content] : []));
    const places = new Map(stored(readModel(unet)).map((content) => [content.offset, content]));
    const references = stored(prepared).filter(({ location }) => location !== 'prepared/unet.onnx');
    expect(references.length).toBeGreaterThan(200);
    expect(weights).toEqual([UNET_PATH]);
    for (const { location, offset, length, bytes: values } of references) {
      expect(location).toBe(`prepared/${UNET_PATH}`);
      expect(places.get(offset)?.length).toBe(length);
      expect(places.get(offset)?.bytes).toEqual(values);
    }
  });

  it('keep the batch free in every input and output', () => {
    const free = [...prepared.inputs].filter(([, { dims }]) => dims.includes(BATCH)).map(([name]) => name);
    expect(free.sort()).toEqual(
      ['key_contexts', 'loss_weights', 'sample', 'target', 'timestep', 'value_contexts'].sort(),
    );
  });

  it('are free of shape arithmetic', () => {
    expect(prepared.nodes.filter(({ op }) => op === 'Shape')).toEqual([]);
  });

  it('are the same bytes each time', () => {
    expect(prepareUnet(unet).bytes).toEqual(prepareUnet(unet).bytes);
  });
});

describe('prepareModel', () => {
  it('writes four graphs and a manifest with sizes and hashes', async () => {
    const files = await prepareModel(openMicro);
    const names = ['unet', 'text_encoder', 'vae_encoder', 'vae_decoder'].map(
      (part) => `prepared/${part}.onnx`,
    );
    expect([...files.keys()]).toEqual([...names, preparedManifest]);
    const manifest = JSON.parse(new TextDecoder().decode(files.get(preparedManifest))) as PreparedManifest;
    expect(manifest).toMatchObject({ layers: 16, tokens: 20, contextWidth: 16, latent: [4, 8, 8] });
    expect(manifest.positions).toEqual([64, 64, 16, 16, 4, 4, 1, 4, 4, 4, 16, 16, 16, 64, 64, 64]);
    expect(manifest.sources[UNET_PATH]!.bytes).toBe(unetBytes.length);
    expect(manifest.weights).toMatchObject({ unet: [UNET_PATH], vae_decoder: ['vae_decoder/model.onnx'] });
    expect(manifest.files['unet.onnx']).toBe(await sha256Hex(files.get('prepared/unet.onnx')!));
    expect(await isCurrent(manifest, openMicro)).toBe(true);
    const other = (path: string) => openMicro(path === UNET_PATH ? 'vae_decoder/model.onnx' : path);
    expect(await isCurrent(manifest, other)).toBe(false);
    expect(await isCurrent({ ...manifest, compilerVersion: 0 }, openMicro)).toBe(false);
  });

  it('is current for the budget that it was planned within, and none other', async () => {
    const options = { precision: 'float32', activationBudget: 5e5 } as const;
    const files = await prepareModel(openMicro, options);
    const manifest = JSON.parse(new TextDecoder().decode(files.get(preparedManifest))) as PreparedManifest;
    expect(manifest).toMatchObject({ picturesAtOnce: 1, activationBudget: 5e5 });
    expect(await isCurrent(manifest, openMicro, options)).toBe(true);
    expect(await isCurrent(manifest, openMicro, { ...options, activationBudget: 4e5 })).toBe(false);
    expect(await isCurrent(manifest, openMicro, { ...options, batch: 2 })).toBe(false);
    expect(await isCurrent(manifest, openMicro)).toBe(false);
  });

  it('needs no configuration where the graphs fix their sizes', async () => {
    const bare = (path: string) =>
      path.endsWith('/config.json') ? Promise.reject(missingFile('bare', path)) : openMicro(path);
    expect(await prepareModel(bare)).toEqual(await prepareModel(openMicro));
  });

  it('the shipped prepared graphs match the shipped stock graphs', async () => {
    const base = new URL('../../models/sticker-world/', import.meta.url);
    for (const [path, bytes] of await prepareModel((path) => openAsBlob(new URL(path, base))))
      expect(Buffer.compare(bytes, readFileSync(new URL(path, base))), path).toBe(0);
  });
});

describe('the plan of a training step', () => {
  it('is for the pictures of a pass, unless a budget limits them', async () => {
    const full = { precision: 'float32' } as const;
    const [one, two, nine] = await Promise.all([1, 2, 9].map((each) => planTraining(openMicro, full, each)));
    const [step, several] = [two!.activationBytes - one!.activationBytes, nine!.activationBytes];
    expect(several / (one!.activationBytes + 8 * step)).toBeCloseTo(1, 2);
    expect(two!.weightBytes).toBe(one!.weightBytes);
    const within = { ...full, activationBudget: 5e5 };
    expect(await planTraining(openMicro, within, 9)).toEqual(await planTraining(openMicro, within, 1));
  });

  it('ends where it is told to, before a graph is compiled', async () => {
    const parts: string[] = [];
    const stop = (part: string) => {
      parts.push(part);
      return part === 'unet' ? Promise.reject(new Error('stopped')) : Promise.resolve();
    };
    const planning = planTraining(openMicro, { precision: 'float32' }, 1, stop);
    await expect(planning).rejects.toThrow('stopped');
    expect(parts).toEqual(['text_encoder', 'unet']);
  });
});

describe('refusals', () => {
  it('an unknown operator is named with its node and tensor', async () => {
    const stock = await altered('Erf', 'Bessel');
    const error = await caught(() => prepareUnet(stock));
    const [erf] = readModel(unet).nodes.filter(({ op }) => op === 'Erf');
    expect(error.code).toBe('onnx.unknownOp');
    for (const part of ['Bessel', erf!.name, erf!.outputs[0]!]) expect(error.message).toContain(`${part}`);
  });

  it('an operator without a derivative is named with its node and tensor', async () => {
    const stock = await altered('Erf', 'Ceil');
    const error = await caught(() => prepareUnet(stock));
    const last = readModel(unet).nodes.findLast(({ op }) => op === 'Erf')!;
    expect(error.code).toBe('onnx.noDerivative');
    for (const part of ['Ceil', last.name, last.outputs[0]!]) expect(error.message).toContain(part);
  });

  it.each([
    ['not an ONNX file', new TextEncoder().encode('<!doctype html>')],
    ['an empty file', new Uint8Array()],
    ['half a file', new Uint8Array(unetBytes.subarray(0, unetBytes.length >> 1))],
  ])('%s', async (_, bytes) => {
    expect((await caught(() => stockOf(bytes))).code).toBe('onnx.parse');
  });

  it('a U-Net without cross-attention', async () => {
    const stock = await altered('Softmax', 'Sigmoid');
    expect((await caught(() => prepareUnet(stock))).code).toBe('onnx.crossAttention');
  });

  it('a model of another kind', async () => {
    expect((await caught(() => prepareTextEncoder(unet))).message).toContain('input_ids');
  });

  it('an input that Stable Diffusion has not', async () => {
    const model = fromBinary(ModelProtoSchema, unetBytes);
    model.graph!.input.push({ ...model.graph!.input[0]!, name: 'time_ids' });
    const stock = await stockOf(toBinary(ModelProtoSchema, model));
    const error = await caught(() => prepareUnet(stock));
    expect(error.code).toBe('onnx.extraInput');
    expect(error.message).toContain('found time_ids as well');
  });

  const senseless: readonly [string, string, (node: NodeProto) => void][] = [
    ['Concat', 'onnx.missingInput', (node) => node.input.splice(0)],
    ['Concat', 'onnx.axis', (node) => (node.attribute[0]!.i = 9n)],
    ['Div', 'onnx.number', (node) => node.input.splice(0, 2, 'nothing', 'nothing')],
  ];

  it.each(senseless)('%s that makes no sense: %s', async (op, code, damage) => {
    const model = fromBinary(ModelProtoSchema, unetBytes);
    model.graph!.initializer.push(
      create(TensorProtoSchema, { name: 'nothing', dataType: 7, int64Data: [0n] }),
    );
    damage(model.graph!.node.find(({ opType }) => opType === op)!);
    const stock = await stockOf(toBinary(ModelProtoSchema, model));
    expect((await caught(() => prepareUnet(stock))).code).toBe(code);
  });

  it('a configuration that contradicts the graph', async () => {
    const error = await caught(() => prepareUnet(unet, { tokens: 77 }));
    expect(error.code).toBe('onnx.size');
    expect(error.message).toContain('77');
  });
});

it('the compiler knows small tensors, and of weights only the place', () => {
  const constants = [...readModel(unet).constants.values()];
  const halves = constants.filter(({ type }) => type === 'float16').map(readConstant);
  const values = halves.flatMap((known) => (known?.values ?? []) as number[]);
  expect(halves.filter((known) => !known).length).toBeGreaterThan(20);
  expect(values.length).toBeGreaterThan(1000);
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

  it.each(shapes)('$name', async ({ picture, kernel, stride, pad }) => {
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
