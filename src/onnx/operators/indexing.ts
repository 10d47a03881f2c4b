/** Operators that cut, pick or pad data, and those that make shapes. */
import { AppError } from '../../lib/errors.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { addDims, fixedDim, isBatch, normalAxis, range, type Dim } from '../dims.ts';
import { describe, numberOf, type TensorType } from '../graph.ts';
import { readConstant } from '../values.ts';
import { constantInput, gradientOf, unary, unsupported } from './derivatives.ts';
import { dot, generate, stridesOf } from './evaluators.ts';
import {
  FOLLOWING,
  type Derivative,
  type Evaluator,
  type GradContext,
  type Operator,
  type ShapeContext,
  type ShapeRule,
} from './operator.ts';
import { dimsFrom, numbersFrom, only } from './shapeRules.ts';

/** Start, end (both within the axis) and step of a Slice along each of its axes. */
export function sliceRanges(c: ShapeContext): { axis: number; start: number; step: number; count: Dim }[] {
  const { dims } = c.input(0);
  const starts = numbersFrom(c, 1, []);
  const ends = dimsFrom(c, 2);
  const axes = numbersFrom(c, 3, range(starts.length)).map((axis) => normalAxis(axis, dims.length));
  const steps = numbersFrom(
    c,
    4,
    axes.map(() => 1),
  );
  return axes.map((axis, i) => ({ axis, ...sliceAxis(c, dims[axis]!, starts[i]!, ends[i]!, steps[i]!) }));
}

function sliceAxis(c: ShapeContext, dim: Dim, start: number, end: Dim, step: number) {
  if (isBatch(dim) || isBatch(end)) return sliceFree(c, dim, start, end, step);
  const clamp = (at: number, low: number, high: number) =>
    Math.min(high, Math.max(low, at < 0 ? at + dim : at));
  const [low, high] = step > 0 ? [0, dim] : [-1, dim - 1];
  const from = clamp(start, Math.max(low, 0), high);
  const to = end < -dim ? low : clamp(end, low, high);
  return { start: from, step, count: Math.max(0, Math.ceil((to - from) / step)) };
}

function sliceFree(c: ShapeContext, dim: Dim, start: number, end: Dim, step: number) {
  const wholeEnd = isBatch(end) ? isBatch(dim) && end.batch >= dim.batch : end >= 2 ** 31 - 1;
  if (start === 0 && step === 1 && wholeEnd) return { start, step, count: dim };
  if (!isBatch(dim) && isBatch(end)) throw partialBatch(c);
  if (isBatch(dim) && !isBatch(end) && step === 1 && start >= 0 && end > start)
    return { start, step, count: end - start };
  throw partialBatch(c);
}

function partialBatch({ node }: ShapeContext): AppError {
  return new AppError(
    'onnx.freeDimension',
    `expected whole batches, found a part of one cut by ${describe(node)}`,
  );
}

const sliceShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const result = [...dims];
  for (const { axis, count } of sliceRanges(c)) result[axis] = count;
  return only(type, result);
};

const gatherShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  return only(type, [...dims.slice(0, axis), ...c.input(1).dims, ...dims.slice(axis + 1)]);
};

const gatherNd: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const index = c.input(1).dims;
  const batched = numberOf(c.node, 'batch_dims', 0);
  const depth = fixedDim(index.at(-1), `the index of ${describe(c.node)}`);
  return only(type, [...index.slice(0, -1), ...dims.slice(batched + depth)]);
};

const padShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const pads = numbersFrom(c, 1, []);
  const axes = numbersFrom(c, 3, range(dims.length)).map((axis) => normalAxis(axis, dims.length));
  const result = [...dims];
  axes.forEach((axis, i) => (result[axis] = addDims(dims[axis]!, pads[i]! + pads[i + axes.length]!)));
  return only(type, result);
};

const shapeOf: ShapeRule = (c) => {
  const rank = c.input(0).dims.length;
  return only('int64', [
    range(rank).slice(numberOf(c.node, 'start', 0), numberOf(c.node, 'end', rank)).length,
  ]);
};

const filledShape: ShapeRule = (c) => {
  const value = c.node.attributes.value;
  const type: TensorType['type'] = value?.kind === 'tensor' ? value.value.type : 'float32';
  return only(type, dimsFrom(c, 0));
};

const rangeOf: ShapeRule = (c) => {
  const [start, limit, step] = [0, 1, 2].map((i) => dimsFrom(c, i)[0]!) as [Dim, Dim, Dim];
  if (isBatch(limit) && start === 0 && step === 1) return only(c.input(0).type, [limit]);
  const bounds = [start, limit, step].map((dim) => fixedDim(dim, describe(c.node))) as [
    number,
    number,
    number,
  ];
  return only(c.input(0).type, [Math.max(0, Math.ceil((bounds[1] - bounds[0]) / bounds[2]))]);
};

const sliceValue: Evaluator = (context, [input], { dims }) => {
  const ranges = sliceRanges(context);
  const strides = stridesOf(input!.dims);
  return generate(dims, (index) => {
    const source = [...index];
    for (const { axis, start, step } of ranges) source[axis] = start + step * index[axis]!;
    return input!.values[dot(source, strides)]!;
  });
};

const gatherValue: Evaluator = ({ node }, [data, indices], { dims }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), data!.dims.length);
  const depth = indices!.dims.length;
  return generate(dims, (index) => {
    const asked = indices!.values[dot(index.slice(axis, axis + depth), stridesOf(indices!.dims))] as number;
    const source = [
      ...index.slice(0, axis),
      normalAxis(asked, data!.dims[axis]!),
      ...index.slice(axis + depth),
    ];
    return data!.values[dot(source, stridesOf(data!.dims))]!;
  });
};

const filledValue: Evaluator = ({ node }, _, { dims }) => {
  const fill = node.attributes.value;
  const value = fill?.kind === 'tensor' ? (readConstant(fill.value)?.values[0] ?? 0) : 0;
  return Array.from({ length: sizeOf(dims) }, () => value);
};

const rangeFrom: Evaluator = (context, _, { dims }) => {
  const start = dimsFrom(context, 0)[0] as number;
  const step = dimsFrom(context, 2)[0] as number;
  return generate(dims, ([at]) => start + step * at!);
};

/** Places g back and fills the rest with zeros. Only steps of 1. */
const sliceDerivative = unary((c, x, _, g) => {
  const dims = c.at.dims(x);
  const begins = dims.map(() => 0);
  const ends = dims.map(() => 0);
  for (const { axis, start, step, count } of sliceRanges(c.shapes)) {
    if (isBatch(dims[axis]!)) continue;
    if (step !== 1) throw unsupported(c, 'slices in steps of 1');
    begins[axis] = start;
    ends[axis] = fixedDim(dims[axis], describe(c.node)) - start - fixedDim(count, describe(c.node));
  }
  return c.at.op('Pad', [g, c.at.integers([...begins, ...ends])]);
});

/** Gather with constant indices is a product with a 0/1 matrix; its transpose gathers back. */
const gatherDerivative: Derivative = (c) => {
  const dims = c.at.dims(c.node.inputs[0]!);
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  const size = fixedDim(dims[axis], describe(c.node));
  const indices = constantInput(c, 1).map((index) => normalAxis(index, size));
  const scatter = range(size).flatMap((row) => indices.map((index) => Number(index === row)));
  const matrix = c.at.constant('float32', [size, indices.length], scatter);
  return [placeBack(c, matrix, dims, axis, indices.length), undefined];
};

function placeBack(
  c: GradContext,
  matrix: string,
  dims: readonly Dim[],
  axis: number,
  count: number,
): string {
  const rank = dims.length;
  const rows = c.at.reshape(gradientOf(c), dims.with(axis, count));
  const last = range(rank)
    .filter((i) => i !== axis)
    .concat(axis);
  const moved = axis === rank - 1 ? rows : c.at.transpose(rows, last);
  const placed = c.at.op('MatMul', [moved, c.weights.transposeMatrix(matrix)]);
  return axis === rank - 1
    ? placed
    : c.at.transpose(
        placed,
        range(rank).map((i) => last.indexOf(i)),
      );
}

/** Removes the margins. */
const padDerivative: Derivative = (c) => {
  const rank = c.at.dims(c.node.inputs[0]!).length;
  const pads = constantInput(c, 1);
  if (c.node.inputs[3] || pads.some((size) => size < 0))
    throw unsupported(c, 'padding by margins of at least 0 on all axes');
  const axes = range(rank).filter((axis) => pads[axis] !== 0 || pads[axis + rank] !== 0);
  const bounds = [axes.map((axis) => pads[axis]!), axes.map((axis) => -pads[axis + rank]! || 2 ** 31), axes];
  return [
    c.at.op('Slice', [gradientOf(c), ...bounds.map((list) => c.at.integers(list))]),
    undefined,
    undefined,
  ];
};

export const indexingOperators = {
  ConstantOfShape: { shape: filledShape, evaluate: filledValue },
  Gather: { ...FOLLOWING, shape: gatherShape, evaluate: gatherValue, derivative: gatherDerivative },
  GatherElements: { shape: (c) => only(c.input(0).type, c.input(1).dims) },
  GatherND: { shape: gatherNd },
  Pad: { ...FOLLOWING, carries: false, shape: padShape, derivative: padDerivative },
  Range: { shape: rangeOf, evaluate: rangeFrom },
  Shape: { shape: shapeOf },
  Size: { shape: () => only('int64', []) },
  Slice: {
    ...FOLLOWING,
    shape: sliceShape,
    evaluate: sliceValue,
    derivative: sliceDerivative,
    idle: 'with the same type',
  },
} satisfies Record<string, Operator>;
