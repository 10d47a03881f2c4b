/** Derivatives of matrix products. */
import type { Builder } from '../builder.ts';
import { countElements } from '../dims.ts';
import { float, int, numberOf } from '../graph.ts';
import { gradientOf, unbroadcast, unsupported, type GradContext, type Rule } from './rule.ts';

/** The matrix transposed; of a weight, outside the backward pass. */
function transposed(c: GradContext, value: string): string {
  const builder = c.isWeight(value) ? c.weights : c.at;
  return builder.transposeMatrix(value);
}

/** g·Wᵀ for a weight [K,N], which Gemm reads as it lies. */
function timesTransposed(at: Builder, g: string, weight: string): string {
  const dims = at.dims(g);
  const rows = at.reshape(g, [countElements(dims.slice(0, -1)), dims.at(-1)!]);
  const product = at.op('Gemm', [rows, weight], { transB: int(1) });
  return at.reshape(product, [...dims.slice(0, -1), at.dims(weight)[0]!]);
}

/** y = a·b: da = g·bᵀ, db = aᵀ·g, each summed over broadcast batch axes. Vectors are refused. */
const matMul: Rule = (c) => {
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
const gemm: Rule = (c) => {
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

export const matMulRules: Record<string, Rule> = { Gemm: gemm, MatMul: matMul };
