/** Shapes of products, convolutions, normalizations, reductions and control flow. */
import { AppError } from '../../lib/errors.ts';
import { broadcastDims, fixedDim, normalAxis, range, sameDim, showDims, type Dim } from '../dims.ts';
import { describe, numberOf, numbersOf, textOf, type Node, type TensorType } from '../graph.ts';
import { numbersFrom, only, type ShapeContext, type ShapeRule } from './rule.ts';

const matMul: ShapeRule = (c) => {
  const a = c.input(0).dims;
  const b = c.input(1).dims;
  const inner = b.length > 1 ? b.at(-2)! : b[0]!;
  if (!sameDim(a.at(-1)!, inner)) throw mismatch(c.node, a, b);
  const batch = broadcastDims(a.slice(0, -2), b.slice(0, -2));
  return only(c.input(0).type, [...batch, ...a.slice(-2, -1), ...(b.length > 1 ? [b.at(-1)!] : [])]);
};

function mismatch(node: Node, a: readonly Dim[], b: readonly Dim[]): AppError {
  return new AppError(
    'onnx/shape',
    `expected inner dimensions that agree, found ${showDims(a)} times ${showDims(b)} in ${describe(node)}; check the sizes in config.json`,
  );
}

const gemm: ShapeRule = (c) => {
  const a = c.input(0).dims;
  const b = c.input(1).dims;
  return only(c.input(0).type, [
    a[numberOf(c.node, 'transA', 0) ? 1 : 0]!,
    b[numberOf(c.node, 'transB', 0) ? 0 : 1]!,
  ]);
};

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
      'onnx/auto-pad',
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

const conv: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const weight = c.input(1);
  return only(type, [
    dims[0]!,
    weight.dims[0]!,
    ...slide(dims.slice(2), windowOf(c.node, kernelOf(weight, c.node))),
  ]);
};

const convTranspose: ShapeRule = (c) => {
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

const layerNormalization: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', -1), dims.length);
  const statistic = { type, dims: dims.map((dim, i) => (i < axis ? dim : 1)) };
  return [{ type, dims }, statistic, statistic].slice(0, c.node.outputs.length);
};

/** Axes a reduction removes, from its input (operator set 18) or attribute; all when neither is given. */
export function reducedAxes(c: ShapeContext): number[] {
  const rank = c.input(0).dims.length;
  const axes = numbersFrom(c, 1, numbersOf(c.node, 'axes') ?? range(rank));
  return axes.map((axis) => normalAxis(axis, rank));
}

const reduce: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axes = reducedAxes(c);
  const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
  return only(type, numberOf(c.node, 'keepdims', 1) ? kept : dims.filter((_, i) => !axes.includes(i)));
};

const argMax: ShapeRule = (c) => {
  const { dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', 0), dims.length);
  return only(
    'int64',
    numberOf(c.node, 'keepdims', 1) ? dims.with(axis, 1) : dims.filter((_, i) => i !== axis),
  );
};

export const networkShapes: Record<string, ShapeRule> = {
  ArgMax: argMax,
  AveragePool: pool,
  BatchNormalization: (c) => [c.input(0)],
  Conv: conv,
  ConvTranspose: convTranspose,
  Gemm: gemm,
  GroupNormalization: (c) => [c.input(0)],
  InstanceNormalization: (c) => [c.input(0)],
  LayerNormalization: layerNormalization,
  MatMul: matMul,
  MaxPool: pool,
  ReduceMax: reduce,
  ReduceMean: reduce,
  ReduceMin: reduce,
  ReduceProd: reduce,
  ReduceSum: reduce,
};
