/**
 * Spelled-out operators against the native onnxruntime's own kernels. GroupNorm, SkipGroupNorm, NhwcConv, BiasAdd and
 * BiasSplitGelu have none on the processor; whole networks with them are compared with PyTorch (matrix.test.ts).
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { AppError } from '../../lib/errors.ts';
import { relativeError, sizeOf } from '../../lib/numbers.ts';
import { Random } from '../../lib/random.ts';
import { lower } from '../passes/lower.ts';
import { specialize } from '../passes/specialize.ts';
import {
  AttributeProto_AttributeType as Kind,
  ModelProtoSchema,
  TensorProto_DataType,
} from '../proto/onnx_pb.ts';
import { readModel } from '../read.ts';
import { readStock } from '../stock.ts';
import { writeModel } from '../write.ts';

/** The kernels sum in another order. */
const TOLERANCE = 1e-5;

interface Case {
  readonly op: string;
  /** Shapes of the inputs; empty for an omitted one. */
  readonly inputs: readonly (readonly number[] | undefined)[];
  readonly ints?: Readonly<Record<string, number>>;
  readonly floats?: Readonly<Record<string, number>>;
  /** Of the outputs; '' for an omitted one. */
  readonly outputs?: readonly string[];
  readonly domain?: string;
}

const cases: readonly Case[] = [
  { op: 'BiasGelu', inputs: [[2, 3, 4], [4]] },
  { op: 'FastGelu', inputs: [[2, 3, 4], [4]] },
  { op: 'FastGelu', inputs: [[2, 3, 4]] },
  { op: 'Gelu', inputs: [[2, 3, 4]] },
  { op: 'QuickGelu', inputs: [[2, 3, 4]] },
  { op: 'QuickGelu', inputs: [[2, 3, 4]], floats: { alpha: 0.5 } },
  {
    op: 'FusedMatMul',
    inputs: [
      [2, 4, 3],
      [2, 5, 4],
    ],
    ints: { transA: 1, transB: 1 },
    floats: { alpha: 0.3 },
  },
  { op: 'SkipLayerNormalization', inputs: [[2, 3, 4], [2, 3, 4], [4], [4]] },
  {
    op: 'SkipLayerNormalization',
    inputs: [[2, 3, 4], [2, 3, 4], [4], [4], [4]],
    floats: { epsilon: 0.1 },
    outputs: ['y', '', '', 'sum'],
  },
  { op: 'Attention', inputs: [[2, 3, 8], [8, 24], [24]], ints: { num_heads: 2 } },
  {
    op: 'Attention',
    inputs: [[2, 3, 8], [8, 24], [24], undefined, undefined, [2, 2, 3, 3]],
    ints: { num_heads: 2, unidirectional: 1 },
    floats: { scale: 0.7 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      [2, 3, 8],
      [2, 5, 8],
      [2, 5, 8],
    ],
    ints: { num_heads: 2 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [[2, 3, 8], [2, 5, 8], [2, 5, 8], [24], undefined, [1, 2, 3, 5]],
    ints: { num_heads: 2 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      [2, 3, 8],
      [2, 3, 8],
      [2, 3, 8],
    ],
    ints: { num_heads: 2, unidirectional: 1 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [
      [2, 3, 8],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
    ],
    ints: { num_heads: 2 },
  },
  { op: 'GroupNormalization', inputs: [[2, 4, 3, 3], [4], [4]], ints: { num_groups: 2 }, domain: '' },
  {
    op: 'Attention',
    inputs: [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
    ],
    domain: '',
  },
  {
    op: 'Attention',
    inputs: [
      [2, 3, 8],
      [2, 3, 8],
      [2, 3, 8],
    ],
    ints: { q_num_heads: 2, kv_num_heads: 2, is_causal: 1 },
    floats: { scale: 0.7 },
    domain: '',
  },
  {
    op: 'Attention',
    inputs: [
      [2, 2, 3, 4],
      [2, 2, 5, 4],
      [2, 2, 5, 4],
      [3, 5],
    ],
    domain: '',
  },
];

const nameOf = (i: number) => `input${i}`;

function modelOf({ op, inputs, ints, floats, outputs = ['y'], domain = 'com.microsoft' }: Case): Uint8Array {
  const value = (name: string, dims: readonly number[]) => ({
    name,
    type: {
      value: {
        case: 'tensorType' as const,
        value: {
          elemType: TensorProto_DataType.FLOAT,
          shape: {
            dim: dims.map((dim) => ({ value: { case: 'dimValue' as const, value: BigInt(dim) } })),
          },
        },
      },
    },
  });
  const attribute = [
    ...Object.entries(ints ?? {}).map(([name, i]) => ({ name, type: Kind.INT, i: BigInt(i) })),
    ...Object.entries(floats ?? {}).map(([name, f]) => ({ name, type: Kind.FLOAT, f })),
  ];
  const input = inputs.map((dims, i) => (dims ? nameOf(i) : ''));
  const model = create(ModelProtoSchema, {
    irVersion: 10n,
    opsetImport: [
      { domain: '', version: 23n },
      { domain: 'com.microsoft', version: 1n },
    ],
    graph: {
      name: 'case',
      node: [{ opType: op, name: 'node', domain, input, output: [...outputs], attribute }],
      input: inputs.flatMap((dims, i) => (dims ? [value(nameOf(i), dims)] : [])),
      output: outputs.filter(Boolean).map((name) => ({ name, type: { value: value(name, []).type.value } })),
    },
  });
  for (const output of model.graph!.output)
    if (output.type?.value.case === 'tensorType') output.type.value.value.shape = undefined;
  return toBinary(ModelProtoSchema, model);
}

async function run(model: Uint8Array, { inputs }: Case): Promise<Float32Array[]> {
  const random = new Random(3);
  const session = await InferenceSession.create(model, { logSeverityLevel: 3 });
  const feeds = inputs.flatMap((dims, i) => {
    if (!dims) return [];
    const values = random.fillNormal(new Float32Array(sizeOf(dims)));
    return [[nameOf(i), new Tensor('float32', values, dims)] as const];
  });
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return session.outputNames.map((name) => outputs[name]!.data as Float32Array);
}

async function spelledOut(model: Uint8Array): Promise<Uint8Array> {
  const file = new Blob([model as Uint8Array<ArrayBuffer>]);
  const stock = readModel(await readStock('model.onnx', () => Promise.resolve(file)));
  const graph = specialize(stock, new Map());
  lower(graph);
  expect(graph.nodes.filter(({ op }) => op.includes('.') || op === 'Attention')).toEqual([]);
  return writeModel(graph, new Map());
}

it.each(
  cases.map(
    (one) =>
      [
        `${one.domain ?? 'com.microsoft'} ${one.op} ${JSON.stringify({ ...one.ints, ...one.floats })} of ${one.inputs.length}`,
        one,
      ] as const,
  ),
)('%s', async (_, one) => {
  const model = modelOf(one);
  const expected = await run(model, one);
  const found = await run(await spelledOut(model), one);
  expect(found.length).toBe(expected.length);
  for (const [i, values] of expected.entries())
    expect(relativeError(found[i]!, values)).toBeLessThan(TOLERANCE);
});

it.each<[string, Case, string]>([
  ['an operator without a rule', { op: 'LongformerAttention', inputs: [[1, 2]] }, 'LongformerAttention'],
  [
    'a padding mask',
    { op: 'MultiHeadAttention', inputs: [[1, 2, 4], [1, 2, 4], [1, 2, 4], undefined, [1, 2]] },
    'key_padding_mask',
  ],
])('%s is refused by name', async (_, one, named) => {
  const error = await spelledOut(modelOf(one)).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(AppError);
  const { code, message } = error as AppError;
  expect(code).toBe('onnx.compound');
  for (const part of [named, '"node"', 'instead']) expect(message).toContain(part);
});
