/** Convolutions, pooling and enlargement. Derivatives are towards the data alone. */
import { AppError } from '../../lib/errors.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { fixedDim, fixedDims, isBatch, type Dim } from '../dims.ts';
import {
  describe,
  int,
  ints,
  numberOf,
  numbersOf,
  text,
  textOf,
  type Node,
  type TensorType,
} from '../graph.ts';
import { constantInput, gradientOf, refuse, unsupported } from './derivatives.ts';
import {
  FOLLOWING,
  PRODUCT,
  type Derivative,
  type GradContext,
  type Operations,
  type Operator,
  type ShapeRule,
} from './operator.ts';
import { dimsFrom, numbersFrom, only } from './shapeRules.ts';

export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Begins of each spatial axis, then ends. */
  readonly pads: readonly number[];
}

/** Kernel geometry of a convolution or pooling; only explicit padding (what the exporters write). */
export function windowOf(node: Node, kernel: readonly number[]): Window {
  const automatic = textOf(node, 'auto_pad', 'NOTSET');
  if (automatic !== 'NOTSET' && automatic !== 'VALID')
    throw new AppError(
      'onnx.autoPad',
      `expected explicit pads, found auto_pad ${automatic} in ${describe(node)}`,
    );
  const all = (value: number) => kernel.map(() => value);
  return {
    kernel,
    strides: numbersOf(node, 'strides') ?? all(1),
    dilations: numbersOf(node, 'dilations') ?? all(1),
    pads: numbersOf(node, 'pads') ?? [...all(0), ...all(0)],
  };
}

export function kernelOf(weight: TensorType, node: Node): number[] {
  return weight.dims.slice(2).map((dim) => fixedDim(dim, `the kernel of ${describe(node)}`));
}

function slide(dims: readonly Dim[], { kernel, strides, dilations, pads }: Window): Dim[] {
  return dims.map((dim, i) => {
    const padded = fixedDim(dim, 'a convolution') + pads[i]! + pads[i + kernel.length]!;
    return Math.floor((padded - dilations[i]! * (kernel[i]! - 1) - 1) / strides[i]!) + 1;
  });
}

const convShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const weight = c.input(1);
  return only(type, [
    dims[0]!,
    weight.dims[0]!,
    ...slide(dims.slice(2), windowOf(c.node, kernelOf(weight, c.node))),
  ]);
};

const convTransposeShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const weight = c.input(1);
  const { kernel, strides, dilations, pads } = windowOf(c.node, kernelOf(weight, c.node));
  const extra = numbersOf(c.node, 'output_padding') ?? kernel.map(() => 0);
  const spatial = dims.slice(2).map((dim, i) => {
    const grown = strides[i]! * (fixedDim(dim, 'a convolution') - 1) + extra[i]!;
    return grown + dilations[i]! * (kernel[i]! - 1) + 1 - pads[i]! - pads[i + kernel.length]!;
  });
  const channels = fixedDim(weight.dims[1], describe(c.node)) * numberOf(c.node, 'group', 1);
  return only(type, [dims[0]!, channels, ...spatial]);
};

const pool: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const window = windowOf(c.node, numbersOf(c.node, 'kernel_shape') ?? []);
  return only(type, [...dims.slice(0, 2), ...slide(dims.slice(2), window)]);
};

const resizeShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  if (c.has(3)) return only(type, dimsFrom(c, 3));
  const scales = numbersFrom(c, 2, []);
  return only(
    type,
    dims.map((dim, i) => (isBatch(dim) ? dim : Math.floor(dim * scales[i]!))),
  );
};

/** Each number of the output sums a kernel's. */
const convOperations: Operations = ({ node, dims, elements }) =>
  2 * elements(dims(node.outputs[0]!)) * elements(dims(node.inputs[1]!).slice(1));

/** Each number of the data is spread over a kernel. */
const convTransposeOperations: Operations = ({ node, dims, elements }) =>
  2 * elements(dims(node.inputs[0]!)) * elements(dims(node.inputs[1]!).slice(1));

const convDerivative: Derivative = (c) => {
  refuse(c, 1);
  refuse(c, 2);
  const weight = c.node.inputs[1]!;
  const window = windowOf(c.node, kernelOf(c.at.graph.typeOf(weight), c.node));
  const direct = numberOf(c.node, 'group', 1) === 1 && window.strides.every((stride) => stride === 1);
  return [direct ? turnedConv(c, weight, window) : spreadConv(c, weight, window)];
};

/** Stride 1: convolution of g with the kernel turned by 180° and its channel axes exchanged. */
function turnedConv(c: GradContext, weight: string, { kernel, dilations, pads }: Window): string {
  const rank = kernel.length;
  const full = kernel.map((size, i) => dilations[i]! * (size - 1));
  const margins = [
    ...full.map((size, i) => size - pads[i]!),
    ...full.map((size, i) => size - pads[i + rank]!),
  ];
  return c.at.op('Conv', [gradientOf(c), turned(c, weight, kernel)], {
    kernel_shape: ints(kernel),
    dilations: ints(dilations),
    pads: ints(margins),
  });
}

function turned(c: GradContext, weight: string, kernel: readonly number[]): string {
  const exchange = [1, 0, ...kernel.map((_, i) => i + 2)];
  if (c.lean) return c.at.transpose(reversedAtRunTime(c, weight, kernel), exchange);
  const exchanged = c.weights.transpose(weight, exchange);
  if (kernel.every((size) => size === 1)) return exchanged;
  const all = (value: number) => c.weights.integers(kernel.map(() => value));
  const axes = c.weights.integers(kernel.map((_, i) => i + 2));
  return c.weights.op('Slice', [exchanged, all(-1), all(-(2 ** 31)), axes, all(-1)]);
}

/**
 * The kernel turned, from a start of −1 plus a zero made of the gradient's shape: onnxruntime cannot fold it when it loads
 * the graph, nor turn the kernel before the gradient is there.
 */
function reversedAtRunTime(c: GradContext, weight: string, kernel: readonly number[]): string {
  const all = (value: number) => c.at.integers(kernel.map(() => value));
  const batch = c.at.op('Shape', [gradientOf(c)], { start: int(0), end: int(1) });
  const starts = c.at.op('Add', [all(-1), c.at.op('Sub', [batch, batch])]);
  c.at.assume(starts, { type: 'int64', dims: [kernel.length], values: kernel.map(() => -1) });
  const axes = c.at.integers(kernel.map((_, i) => i + 2));
  return c.at.op('Slice', [weight, starts, all(-(2 ** 31)), axes, all(-1)]);
}

/** Strided or grouped: transposed convolution, padded to the size of the data. */
function spreadConv(c: GradContext, weight: string, { kernel, strides, dilations, pads }: Window): string {
  const data = c.at.dims(c.node.inputs[0]!).slice(2);
  const out = c.at.dims(c.node.outputs[0]!).slice(2);
  const extra = kernel.map((size, i) => {
    const covered = strides[i]! * (fixedDim(out[i], 'a convolution') - 1) + dilations[i]! * (size - 1) + 1;
    return fixedDim(data[i], 'a convolution') + pads[i]! + pads[i + kernel.length]! - covered;
  });
  return c.at.op('ConvTranspose', [gradientOf(c), weight], {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilations),
    pads: ints(pads),
    output_padding: ints(extra),
    group: int(numberOf(c.node, 'group', 1)),
  });
}

/** Each datum was repeated over a block: sums the block (its average times its size). */
const resizeDerivative: Derivative = (c) => {
  const scales = constantInput(c, 2);
  const factors = scales.slice(2);
  const whole = scales.every((scale) => Number.isInteger(scale)) && scales[0] === 1 && scales[1] === 1;
  if (textOf(c.node, 'mode', 'nearest') !== 'nearest' || !whole || !repeatsBlocks(c, factors))
    throw unsupported(c, 'nearest-neighbour enlargement by whole factors');
  const average = c.at.op('AveragePool', [gradientOf(c)], {
    kernel_shape: ints(factors),
    strides: ints(factors),
  });
  return [c.at.scale(average, sizeOf(factors)), undefined, undefined];
};

/** Rounding rules that pick source ⌊i/factor⌋ for an integer factor. */
function repeatsBlocks({ node }: GradContext, factors: readonly number[]): boolean {
  const rounding = textOf(node, 'nearest_mode', 'round_prefer_floor');
  const coordinates = textOf(node, 'coordinate_transformation_mode', 'half_pixel');
  if (coordinates === 'asymmetric') return rounding === 'floor';
  return coordinates === 'half_pixel' && (rounding === 'round_prefer_floor' || factors.every((f) => f === 2));
}

/** Non-overlapping average pooling: g spread over its window. */
const averagePool: Derivative = (c) => {
  const { kernel, strides, pads } = windowOf(c.node, numbersOf(c.node, 'kernel_shape') ?? []);
  const dims = fixedDims(c.at.dims(c.node.inputs[0]!).slice(2), describe(c.node));
  const fits = (size: number, i: number) => dims[i]! % size === 0 && strides[i] === size;
  const tiled = kernel.every(fits);
  if (!tiled || pads.some((pad) => pad !== 0))
    throw unsupported(c, 'average pooling whose windows tile the picture');
  const scales = c.at.constant('float32', [kernel.length + 2], [1, 1, ...kernel]);
  const spread = c.at.op('Resize', [gradientOf(c), '', scales], {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  });
  return [c.at.scale(spread, 1 / sizeOf(kernel))];
};

export const convolutionOperators = {
  AveragePool: { ...FOLLOWING, carries: false, shape: pool, derivative: averagePool },
  Conv: { ...PRODUCT, shape: convShape, operations: convOperations, derivative: convDerivative },
  ConvTranspose: { ...PRODUCT, shape: convTransposeShape, operations: convTransposeOperations },
  MaxPool: { shape: pool },
  Resize: { ...FOLLOWING, carries: false, shape: resizeShape, derivative: resizeDerivative },
} satisfies Record<string, Operator>;
