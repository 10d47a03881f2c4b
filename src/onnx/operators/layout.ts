/** Operators that reshape, turn, join, part or repeat data. */
import {
  addDims,
  broadcastDims,
  countElements,
  divDims,
  fixedDim,
  mulDims,
  normalAxis,
  range,
  type Dim,
} from '../dims.ts';
import { describe, int, numberOf, numbersOf } from '../graph.ts';
import { gradientOf, unary, unbroadcast } from './derivatives.ts';
import { dot, elementwise, generate, keep, stridesOf } from './evaluators.ts';
import {
  FOLLOWING,
  VIEW,
  type Derivative,
  type Evaluator,
  type GradContext,
  type Operator,
  type ShapeContext,
  type ShapeRule,
} from './operator.ts';
import { dimsFrom, numbersFrom, only } from './shapeRules.ts';

const reshapeShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const asked = dimsFrom(c, 1).map((dim, i) => (dim === 0 ? dims[i]! : dim));
  if (!asked.includes(-1)) return only(type, asked);
  const rest = countElements(asked.filter((dim) => dim !== -1));
  return only(
    type,
    asked.map((dim) => (dim === -1 ? divDims(countElements(dims), rest) : dim)),
  );
};

const flattenShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const asked = numberOf(c.node, 'axis', 1);
  // One beyond the last axis is allowed: nothing stands behind it.
  const axis = asked === dims.length ? asked : normalAxis(asked, dims.length);
  return only(type, [countElements(dims.slice(0, axis)), countElements(dims.slice(axis))]);
};

const transposeShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const order = numbersOf(c.node, 'perm') ?? range(dims.length).reverse();
  return only(
    type,
    order.map((axis) => dims[axis]!),
  );
};

/** [N, C, H, W] to [N, C/b², H·b, W·b]. */
const depthToSpaceShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const block = numberOf(c.node, 'blocksize', 1);
  const [batch, channels, ...picture] = dims as [Dim, Dim, ...Dim[]];
  return only(type, [batch, divDims(channels, block * block), ...picture.map((dim) => mulDims(dim, block))]);
};

const unsqueezeShape: ShapeRule = (c) => {
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

const squeezeShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const ones = range(dims.length).filter((axis) => dims[axis] === 1);
  const axes = numbersFrom(c, 1, ones).map((axis) => normalAxis(axis, dims.length));
  return only(
    type,
    dims.filter((_, axis) => !axes.includes(axis)),
  );
};

const concatShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const inputs = c.node.inputs.map((_, i) => c.input(i));
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  const total = inputs.map((input) => input.dims[axis]!).reduce(addDims);
  return only(type, dims.with(axis, total));
};

const splitShape: ShapeRule = (c) => {
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

const transposeValue: Evaluator = ({ node }, [input], { dims }) => {
  const order = numbersOf(node, 'perm') ?? range(dims.length).reverse();
  const strides = stridesOf(input!.dims);
  return generate(
    dims,
    (index) => input!.values[index.reduce((sum, at, i) => sum + at * strides[order[i]!]!, 0)]!,
  );
};

const concatValue: Evaluator = ({ node }, inputs, { dims }) => {
  const axis = normalAxis(numberOf(node, 'axis', 0), dims.length);
  return generate(dims, (index) => {
    let at = index[axis]!;
    const input = inputs.find((candidate) => {
      if (at < candidate.dims[axis]!) return true;
      at -= candidate.dims[axis]!;
      return false;
    })!;
    return input.values[dot(index.with(axis, at), stridesOf(input.dims))]!;
  });
};

// The second input is a shape, which broadcasting would read as data.
const expandValue: Evaluator = (context, inputs, output) =>
  elementwise((value) => value)(context, inputs.slice(0, 1), output);

const transposeDerivative = unary(({ at, node }, _x, _y, g) => {
  const order = numbersOf(node, 'perm') ?? range(at.dims(g).length).reverse();
  return at.transpose(
    g,
    range(order.length).map((axis) => order.indexOf(axis)),
  );
});

/** Each input receives its slice of g. */
const concatDerivative: Derivative = (c) => {
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
const splitDerivative: Derivative = (c) => {
  const rank = c.at.dims(c.node.inputs[0]!).length;
  const axis = normalAxis(numberOf(c.node, 'axis', 0), rank);
  const parts = c.node.outputs.map((output, i) => c.gradients[i] ?? zeros(c, output));
  return [c.at.op('Concat', parts, { axis: int(axis) }), undefined];
};

function zeros(c: GradContext, like: string): string {
  return c.at.op('Mul', [like, c.at.scalar(0)]);
}

/** Sums over the axes that were repeated. */
const expandDerivative: Derivative = (c) => [
  unbroadcast(c.at, gradientOf(c), c.at.dims(c.node.inputs[0]!)),
  undefined,
];

const flatDerivative: Derivative = (c) => [
  c.at.reshape(gradientOf(c), c.at.dims(c.node.inputs[0]!)),
  undefined,
];

export const layoutOperators = {
  Concat: { ...FOLLOWING, shape: concatShape, evaluate: concatValue, derivative: concatDerivative },
  Expand: {
    ...FOLLOWING,
    shape: (c) => only(c.input(0).type, broadcastDims(c.input(0).dims, dimsFrom(c, 1))),
    evaluate: expandValue,
    derivative: expandDerivative,
    idle: 'with the same type',
  },
  DepthToSpace: { shape: depthToSpaceShape },
  Flatten: { ...VIEW, shape: flattenShape, derivative: flatDerivative, idle: 'with the same type' },
  Reshape: {
    ...VIEW,
    shape: reshapeShape,
    evaluate: keep,
    derivative: flatDerivative,
    idle: 'with the same type',
  },
  Split: { ...FOLLOWING, shape: splitShape, derivative: splitDerivative },
  Squeeze: {
    ...VIEW,
    shape: squeezeShape,
    evaluate: keep,
    derivative: flatDerivative,
    idle: 'with the same type',
  },
  Tile: {
    shape: (c) =>
      only(
        c.input(0).type,
        c.input(0).dims.map((dim, i) => mulDims(dim, dimsFrom(c, 1)[i]!)),
      ),
  },
  Transpose: {
    ...FOLLOWING,
    shape: transposeShape,
    evaluate: transposeValue,
    derivative: transposeDerivative,
  },
  Unsqueeze: {
    ...VIEW,
    shape: unsqueezeShape,
    evaluate: keep,
    derivative: flatDerivative,
    idle: 'with the same type',
  },
} satisfies Record<string, Operator>;
