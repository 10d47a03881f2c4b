/** Shapes of operators that move, join, cut or repeat data. */
import { AppError } from '../../lib/errors.ts';
import {
  addDims,
  broadcastDims,
  countElements,
  divDims,
  fixedDim,
  isBatch,
  mulDims,
  normalAxis,
  range,
  type Dim,
} from '../dims.ts';
import { describe, numberOf, numbersOf, type TensorType } from '../graph.ts';
import { dimsFrom, numbersFrom, only, type ShapeContext, type ShapeRule } from './rule.ts';

const reshape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const asked = dimsFrom(c, 1).map((dim, i) => (dim === 0 ? dims[i]! : dim));
  if (!asked.includes(-1)) return only(type, asked);
  const rest = countElements(asked.filter((dim) => dim !== -1));
  return only(
    type,
    asked.map((dim) => (dim === -1 ? divDims(countElements(dims), rest) : dim)),
  );
};

const flatten: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', 1), dims.length);
  return only(type, [countElements(dims.slice(0, axis)), countElements(dims.slice(axis))]);
};

const transpose: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const order = numbersOf(c.node, 'perm') ?? range(dims.length).reverse();
  return only(
    type,
    order.map((axis) => dims[axis]!),
  );
};

const unsqueeze: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const asked = numbersFrom(c, 1, []);
  const rank = dims.length + asked.length;
  const axes = new Set(asked.map((axis) => normalAxis(axis, rank)));
  const rest = [...dims];
  return only(
    type,
    range(rank).map((axis) => (axes.has(axis) ? 1 : rest.shift()!)),
  );
};

const squeeze: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const ones = range(dims.length).filter((axis) => dims[axis] === 1);
  const axes = numbersFrom(c, 1, ones).map((axis) => normalAxis(axis, dims.length));
  return only(
    type,
    dims.filter((_, axis) => !axes.includes(axis)),
  );
};

const concat: ShapeRule = (c) => {
  const inputs = c.node.inputs.map((_, i) => c.input(i));
  const { type, dims } = inputs[0]!;
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  const total = inputs.map((input) => input.dims[axis]!).reduce(addDims);
  return only(type, dims.with(axis, total));
};

const split: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  return splitSizes(c, axis).map((size) => ({ type, dims: dims.with(axis, size) }));
};

function splitSizes(c: ShapeContext, axis: number): readonly number[] {
  const count = c.node.outputs.length;
  const size = fixedDim(c.input(0).dims[axis], `axis ${axis} of ${describe(c.node)}`);
  const chunk = Math.ceil(size / count);
  const equal = Array.from({ length: count }, (_, i) => Math.min(chunk, size - i * chunk));
  return numbersFrom(c, 1, equal);
}

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
    'onnx/free-dimension',
    `expected whole batches, found a part of one cut by ${describe(node)}`,
  );
}

const slice: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const result = [...dims];
  for (const { axis, count } of sliceRanges(c)) result[axis] = count;
  return only(type, result);
};

const gather: ShapeRule = (c) => {
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

const pad: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const pads = numbersFrom(c, 1, []);
  const axes = numbersFrom(c, 3, range(dims.length)).map((axis) => normalAxis(axis, dims.length));
  const result = [...dims];
  axes.forEach((axis, i) => (result[axis] = addDims(dims[axis]!, pads[i]! + pads[i + axes.length]!)));
  return only(type, result);
};

const resize: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  if (c.has(3)) return only(type, dimsFrom(c, 3));
  const scales = numbersFrom(c, 2, []);
  return only(
    type,
    dims.map((dim, i) => (isBatch(dim) ? dim : Math.floor(dim * scales[i]!))),
  );
};

const shapeOf: ShapeRule = (c) => {
  const rank = c.input(0).dims.length;
  return only('int64', [
    range(rank).slice(numberOf(c.node, 'start', 0), numberOf(c.node, 'end', rank)).length,
  ]);
};

const constantOfShape: ShapeRule = (c) => {
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

export const layoutShapes: Record<string, ShapeRule> = {
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Expand: (c) => only(c.input(0).type, broadcastDims(c.input(0).dims, dimsFrom(c, 1))),
  Flatten: flatten,
  Gather: gather,
  GatherND: gatherNd,
  GatherElements: (c) => only(c.input(0).type, c.input(1).dims),
  Pad: pad,
  Range: rangeOf,
  Reshape: reshape,
  Resize: resize,
  Shape: shapeOf,
  Size: () => only('int64', []),
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: (c) =>
    only(
      c.input(0).type,
      c.input(0).dims.map((dim, i) => mulDims(dim, dimsFrom(c, 1)[i]!)),
    ),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
