/** Matrix products. */
import { AppError } from '../../lib/errors.ts';
import { broadcastDims, countElements, sameDim, showDims, type Dim } from '../dims.ts';
import { describe, float, int, numberOf, type Node } from '../graph.ts';
import { gradientOf, unbroadcast, unsupported } from './derivatives.ts';
import {
  PRODUCT,
  type Derivative,
  type Emitter,
  type GradContext,
  type Operations,
  type Operator,
  type ShapeRule,
} from './operator.ts';
import { only } from './shapeRules.ts';

const matMulShape: ShapeRule = (c) => {
  const a = c.input(0).dims;
  const b = c.input(1).dims;
  const inner = b.length > 1 ? b.at(-2)! : b[0]!;
  if (!sameDim(a.at(-1)!, inner)) throw mismatch(c.node, a, b);
  const batch = broadcastDims(a.slice(0, -2), b.slice(0, -2));
  return only(c.input(0).type, [...batch, ...a.slice(-2, -1), ...(b.length > 1 ? [b.at(-1)!] : [])]);
};

function mismatch(node: Node, a: readonly Dim[], b: readonly Dim[]): AppError {
  return new AppError(
    'onnx.shape',
    `expected inner dimensions that agree, found ${showDims(a)} times ${showDims(b)} in ${describe(node)}; check the sizes in config.json`,
  );
}

const gemmShape: ShapeRule = (c) => {
  const a = c.input(0).dims;
  const b = c.input(1).dims;
  return only(c.input(0).type, [
    a[numberOf(c.node, 'transA', 0) ? 1 : 0]!,
    b[numberOf(c.node, 'transB', 0) ? 0 : 1]!,
  ]);
};

/** Twice the numbers of the output for each number of the summed axis. */
const matMulOperations: Operations = ({ node, dims, elements }) =>
  2 * elements(dims(node.outputs[0]!)) * elements(dims(node.inputs[0]!).slice(-1));

const gemmOperations: Operations = ({ node, dims, elements }) => {
  const summed = dims(node.inputs[0]!)[numberOf(node, 'transA', 0) ? 0 : 1]!;
  return 2 * elements(dims(node.outputs[0]!)) * elements([summed]);
};

/** The matrix transposed; of a weight, outside the backward pass. */
function transposed(c: GradContext, value: string): string {
  const builder = c.isWeight(value) ? c.weights : c.at;
  return builder.transposeMatrix(value);
}

/** g·Wᵀ for a weight [K,N], which Gemm reads as it lies. */
function timesTransposed(at: Emitter, g: string, weight: string): string {
  const dims = at.dims(g);
  const rows = at.reshape(g, [countElements(dims.slice(0, -1)), dims.at(-1)!]);
  const product = at.op('Gemm', [rows, weight], { transB: int(1) });
  return at.reshape(product, [...dims.slice(0, -1), at.dims(weight)[0]!]);
}

/** y = a·b: da = g·bᵀ, db = aᵀ·g, each summed over broadcast batch axes. Vectors are refused. */
const matMulDerivative: Derivative = (c) => {
  const [a, b] = c.node.inputs as [string, string];
  if (c.at.dims(a).length < 2 || c.at.dims(b).length < 2)
    throw unsupported(c, 'a product of matrices, not of vectors');
  const g = gradientOf(c);
  const da = () =>
    c.lean && c.isWeight(b) && c.at.dims(b).length === 2
      ? timesTransposed(c.at, g, b)
      : unbroadcast(c.at, c.at.op('MatMul', [g, transposed(c, b)]), c.at.dims(a));
  const db = () => unbroadcast(c.at, c.at.op('MatMul', [transposed(c, a), g]), c.at.dims(b));
  return [c.needs(0) ? da() : undefined, c.needs(1) ? db() : undefined];
};

/** y = α·A·B + β·C, A and B possibly transposed. */
const gemmDerivative: Derivative = (c) => {
  const [a, b, bias] = c.node.inputs as [string, string, string | undefined];
  const g = gradientOf(c);
  const turnedA = numberOf(c.node, 'transA', 0) === 1;
  const turnedB = numberOf(c.node, 'transB', 0) === 1;
  const product = (x: string, y: string, transA: boolean, transB: boolean) =>
    c.at.op('Gemm', [x, y], {
      alpha: float(numberOf(c.node, 'alpha', 1)),
      transA: int(Number(transA)),
      transB: int(Number(transB)),
    });
  const da = () => (turnedA ? product(b, g, turnedB, true) : product(g, b, false, !turnedB));
  const db = () => (turnedB ? product(g, a, true, turnedA) : product(a, g, !turnedA, false));
  const dc = () => unbroadcast(c.at, c.at.scale(g, numberOf(c.node, 'beta', 1)), c.at.dims(bias!));
  return [c.needs(0) ? da() : undefined, c.needs(1) ? db() : undefined, c.needs(2) ? dc() : undefined];
};

export const productOperators = {
  Gemm: { ...PRODUCT, shape: gemmShape, operations: gemmOperations, derivative: gemmDerivative },
  MatMul: { ...PRODUCT, shape: matMulShape, operations: matMulOperations, derivative: matMulDerivative },
} satisfies Record<string, Operator>;
