/** Derivatives of operators that move, join, cut, repeat or sum data. */
import { fixedDim, isBatch, normalAxis, range, type Dim } from '../dims.ts';
import { describe, int, numberOf, numbersOf } from '../graph.ts';
import { contextOf, KnownValues } from '../infer.ts';
import { sliceRanges } from '../shapes/layout.ts';
import { reducedAxes } from '../shapes/network.ts';
import {
  constantInput,
  gradientOf,
  unary,
  unbroadcast,
  unsupported,
  type GradContext,
  type Rule,
} from './rule.ts';

const transpose = unary(({ at, node }, _x, _y, g) => {
  const order = numbersOf(node, 'perm') ?? range(at.dims(g).length).reverse();
  return at.transpose(
    g,
    range(order.length).map((axis) => order.indexOf(axis)),
  );
});

/** Each input receives its slice of g. */
const concat: Rule = (c) => {
  const axis = normalAxis(numberOf(c.node, 'axis', 0), c.at.dims(gradientOf(c)).length);
  const sizes = c.node.inputs.map((input) => fixedDim(c.at.dims(input)[axis], describe(c.node)));
  const start = (i: number) => sizes.slice(0, i).reduce((a, b) => a + b, 0);
  const part = (i: number) => {
    const [from, to, along] = [start(i), start(i) + sizes[i]!, axis].map((value) => c.at.integers([value]));
    return c.at.op('Slice', [gradientOf(c), from!, to!, along!]);
  };
  return c.node.inputs.map((_, i) => (c.needs(i) ? part(i) : undefined));
};

/** Joins the gradients; parts nothing depends on are zero. */
const split: Rule = (c) => {
  const rank = c.at.dims(c.node.inputs[0]!).length;
  const axis = normalAxis(numberOf(c.node, 'axis', 0), rank);
  const parts = c.node.outputs.map((output, i) => c.gradients[i] ?? zeros(c, output));
  return [c.at.op('Concat', parts, { axis: int(axis) }), undefined];
};

function zeros(c: GradContext, like: string): string {
  return c.at.op('Mul', [like, c.at.scalar(0)]);
}

/** Places g back and fills the rest with zeros. Only steps of 1. */
const slice = unary((c, x, _, g) => {
  const dims = c.at.dims(x);
  const begins = dims.map(() => 0);
  const ends = dims.map(() => 0);
  for (const { axis, start, step, count } of sliceRanges(
    contextOf(c.at.graph, new KnownValues(c.at.graph), c.node),
  )) {
    if (isBatch(dims[axis]!)) continue;
    if (step !== 1) throw unsupported(c, 'slices in steps of 1');
    begins[axis] = start;
    ends[axis] = fixedDim(dims[axis], describe(c.node)) - start - fixedDim(count, describe(c.node));
  }
  return c.at.op('Pad', [g, c.at.integers([...begins, ...ends])]);
});

/** Sums over the axes that were repeated. */
const expand: Rule = (c) => [unbroadcast(c.at, gradientOf(c), c.at.dims(c.node.inputs[0]!)), undefined];

/** Gather with constant indices is a product with a 0/1 matrix; its transpose gathers back. */
const gather: Rule = (c) => {
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

/** g spread over the summed axes, divided by their size for a mean. */
const spread =
  (isMean: boolean): Rule =>
  (c) => {
    const x = c.node.inputs[0]!;
    const dims = c.at.dims(x);
    const axes = reducedAxes(contextOf(c.at.graph, new KnownValues(c.at.graph), c.node));
    const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const count = isMean
      ? axes.reduce((product, axis) => product * fixedDim(dims[axis], describe(c.node)), 1)
      : 1;
    const g = c.at.scale(c.at.reshape(gradientOf(c), kept), 1 / count);
    return [c.at.expandLike(g, x), undefined];
  };

const flat: Rule = (c) => [c.at.reshape(gradientOf(c), c.at.dims(c.node.inputs[0]!)), undefined];

/** Removes the margins. */
const pad: Rule = (c) => {
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

export const layoutRules: Record<string, Rule> = {
  Concat: concat,
  Expand: expand,
  Flatten: flat,
  Gather: gather,
  Pad: pad,
  ReduceMean: spread(true),
  ReduceSum: spread(false),
  Reshape: flat,
  Slice: slice,
  Split: split,
  Squeeze: flat,
  Transpose: transpose,
  Unsqueeze: flat,
};
