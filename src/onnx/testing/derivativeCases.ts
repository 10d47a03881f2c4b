/** Shape table of the derivative rules' tests: operator, inputs (data or constants), attributes. */
import { sizeOf } from '../../lib/numbers.ts';
import { BATCH, type Dim } from '../dims.ts';
import { float, int, ints, text, type Attributes } from '../graph.ts';

/** A data input: dimensions and the interval its numbers are drawn from. */
export interface DataInput {
  readonly dims: readonly Dim[];
  readonly from: number;
  readonly to: number;
}

export interface ConstantInput {
  readonly constant: 'int64' | 'float32';
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export interface Case {
  readonly op: string;
  readonly inputs: readonly (DataInput | ConstantInput)[];
  readonly attributes: Attributes;
  readonly outputs: number;
  /** Inputs whose gradient is wanted. */
  readonly wanted: readonly number[];
}

const data = (dims: readonly Dim[], from = -1, to = 1): DataInput => ({ dims, from, to });
const int64 = (...values: number[]): ConstantInput => ({ constant: 'int64', dims: [values.length], values });
const scalar = (value: number): ConstantInput => ({ constant: 'float32', dims: [], values: [value] });
const weight = (dims: readonly number[]): ConstantInput => {
  const values = Array.from({ length: sizeOf(dims) }, (_, i) => Math.sin(1 + 1.7 * i));
  return { constant: 'float32', dims, values };
};

function make(
  op: string,
  inputs: Case['inputs'],
  attributes: Attributes = {},
  more: Partial<Case> = {},
): Case {
  const wanted = inputs.flatMap((input, i) => ('constant' in input ? [] : [i]));
  return { op, inputs, attributes, outputs: 1, wanted, ...more };
}

/** Shape pairs of binary operators: equal, stretched and missing axes on either side, a scalar, a free batch. */
const pairs: readonly (readonly [readonly Dim[], readonly Dim[]])[] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 3],
    [2, 1],
  ],
  [
    [1, 3],
    [2, 1],
  ],
  [[2, 3], []],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [
    [BATCH, 2, 3],
    [BATCH, 1, 3],
  ],
];

const binary = ['Add', 'Sub', 'Mul', 'Div'].flatMap((op) =>
  pairs.map(([a, b]) => make(op, [data(a), data(b, 0.5, 1.5)])),
);

const unary = [
  ...['Cos', 'Erf', 'Exp', 'Gelu', 'Identity', 'Neg', 'Sigmoid', 'Sin', 'Tanh'].map((op) =>
    make(op, [data([BATCH, 3], -2, 2)]),
  ),
  ...['Log', 'Reciprocal', 'Sqrt', 'Relu'].map((op) => make(op, [data([2, 3], 0.5, 2)])),
  make('Relu', [data([2, 3], -2, -0.5)]),
  make('Cast', [data([2, 3])], { to: int(1) }),
  make('QuickGelu', [data([BATCH, 3], -2, 2)], { alpha: float(1) }),
  make('QuickGelu', [data([2, 3], -2, 2)], { alpha: float(1.702) }),
  make('Pow', [data([2, 3]), scalar(2)]),
  make('Pow', [data([2, 3], 0.5, 2), scalar(-0.5)]),
  make('Pow', [data([3], 0.5, 2), { constant: 'float32', dims: [2, 1], values: [3, 3] }]),
  make('Softmax', [data([BATCH, 2, 5])], { axis: int(-1) }),
  make('Softmax', [data([2, 4, 3])], { axis: int(1) }),
  make('Where', [{ constant: 'int64', dims: [2, 1], values: [1, 0] }, data([2, 3]), data([3])]),
  make('Where', [{ constant: 'int64', dims: [3], values: [1, 0, 1] }, data([]), data([BATCH, 3])]),
];

const products = [
  make('MatMul', [data([BATCH, 3, 4]), weight([4, 2])]),
  make('MatMul', [data([3, 4]), data([4, 2])]),
  make('MatMul', [data([BATCH, 2, 3, 4]), data([BATCH, 2, 4, 2])]),
  make('MatMul', [data([2, 1, 3, 4]), data([3, 4, 2])]),
  make('MatMul', [weight([3, 4]), data([BATCH, 4, 2])]),
  ...[0, 1].flatMap((a) =>
    [0, 1].map((b) =>
      make('Gemm', [data(a ? [4, 3] : [3, 4]), data(b ? [2, 4] : [4, 2]), data([2])], {
        transA: int(a),
        transB: int(b),
        alpha: float(0.5),
        beta: float(2),
      }),
    ),
  ),
  make('Gemm', [data([BATCH, 4]), weight([2, 4]), weight([2])], { transB: int(1) }),
  make('Gemm', [data([3, 4]), weight([4, 2]), data([3, 1])]),
];

const square = (size: number, stride: number, pads: number[]): Attributes => ({
  kernel_shape: ints([size, size]),
  strides: ints([stride, stride]),
  pads: ints(pads),
});

const convolutions = [
  make('Conv', [data([BATCH, 2, 4, 3]), weight([3, 2, 3, 3]), weight([3])], square(3, 1, [1, 1, 1, 1])),
  make('Conv', [data([1, 2, 4, 4]), weight([3, 2, 3, 3])], square(3, 1, [0, 0, 0, 0])),
  make('Conv', [data([1, 2, 3, 4]), weight([3, 2, 1, 1])], square(1, 1, [0, 0, 0, 0])),
  make('Conv', [data([1, 2, 4, 4]), weight([3, 2, 3, 3])], square(3, 2, [1, 1, 1, 1])),
  make('Conv', [data([BATCH, 2, 5, 5]), weight([3, 2, 3, 3])], square(3, 2, [1, 1, 1, 1])),
  make('Conv', [data([1, 2, 1, 1]), weight([3, 2, 3, 3])], square(3, 1, [1, 1, 1, 1])),
  make('Conv', [data([1, 2, 2, 2]), weight([3, 2, 3, 3])], square(3, 1, [1, 1, 1, 1])),
  make('Conv', [data([1, 4, 4, 4]), weight([2, 2, 3, 3])], { ...square(3, 1, [1, 1, 1, 1]), group: int(2) }),
  make('Conv', [data([1, 2, 5, 5]), weight([2, 2, 3, 3])], {
    ...square(3, 1, [2, 1, 0, 1]),
    dilations: ints([2, 1]),
  }),
  make('Conv', [data([2, 2, 5]), weight([3, 2, 3])], { kernel_shape: ints([3]), pads: ints([1, 1]) }),
  make('AveragePool', [data([2, 2, 4, 6])], { kernel_shape: ints([2, 3]), strides: ints([2, 3]) }),
  ...['floor', 'round_prefer_floor'].map((mode) =>
    make('Resize', [data([BATCH, 2, 2, 3]), scalars([]), scalars([1, 1, 2, 2])], {
      mode: text('nearest'),
      nearest_mode: text(mode),
      coordinate_transformation_mode: text(mode === 'floor' ? 'asymmetric' : 'half_pixel'),
    }),
  ),
];

function scalars(values: readonly number[]): ConstantInput {
  return { constant: 'float32', dims: [values.length], values };
}

const normalizations = [
  make('LayerNormalization', [data([BATCH, 2, 5]), weight([5]), weight([5])], { axis: int(-1) }),
  make('LayerNormalization', [data([2, 3, 4]), weight([3, 4])], { axis: int(1), epsilon: float(1e-3) }),
  make('LayerNormalization', [data([2, 5]), weight([5]), data([5])], { axis: int(-1) }),
  make('InstanceNormalization', [data([BATCH, 3, 6]), scalars([1, 1, 1]), scalars([0, 0, 0])]),
  make('InstanceNormalization', [data([2, 3, 2, 4]), weight([3]), weight([3])], { epsilon: float(1e-3) }),
];

const layouts = [
  make('Reshape', [data([2, 6]), int64(3, 4)]),
  make('Reshape', [data([BATCH, 2, 3]), int64(0, 6)]),
  make('Flatten', [data([2, 3, 4])], { axis: int(1) }),
  make('Transpose', [data([2, 3, 4])], { perm: ints([2, 0, 1]) }),
  make('Transpose', [data([2, 3])]),
  make('Unsqueeze', [data([BATCH, 3]), int64(0, -1)]),
  make('Squeeze', [data([2, 1, 3]), int64(1)]),
  make('Concat', [data([BATCH, 2, 3]), data([BATCH, 1, 3])], { axis: int(1) }),
  make('Concat', [weight([2, 2]), data([2, 3]), data([2, 1])], { axis: int(-1) }),
  make('Split', [data([2, 5]), int64(2, 3)], { axis: int(1) }, { outputs: 2 }),
  make('Split', [data([BATCH, 6])], { axis: int(-1), num_outputs: int(3) }, { outputs: 3 }),
  make('Split', [data([BATCH, 9, 2])], { axis: int(1), num_outputs: int(9) }, { outputs: 9 }),
  make('Slice', [data([BATCH, 5]), int64(1), int64(4), int64(1), int64(1)]),
  make('Slice', [data([4, 5]), int64(0, -3), int64(2, 2 ** 31), int64(0, 1)]),
  make('Pad', [data([2, 3]), int64(0, 1, 2, 0)]),
  make('Expand', [data([2, 1]), int64(3, 2, 4)]),
  make('Gather', [data([4, 3]), int64(2, 0, 2)], { axis: int(0) }),
  make('Gather', [data([BATCH, 4]), int64(1, -1)], { axis: int(1) }),
  make('Gather', [data([3, 2]), { constant: 'int64', dims: [], values: [1] }], { axis: int(0) }),
  make('ReduceMean', [data([BATCH, 3, 4]), int64(1, 2)], { keepdims: int(0) }),
  make('ReduceMean', [data([2, 3]), int64(-1)]),
  make('ReduceSum', [data([2, 3, 2]), int64(0, 2)], { keepdims: int(0) }),
  make('ReduceSum', [data([2, 3])]),
];

export const cases: readonly Case[] = [
  ...binary,
  ...unary,
  ...products,
  ...convolutions,
  ...normalizations,
  ...layouts,
];
