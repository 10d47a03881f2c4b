/** Sums, means and extremes along axes: long sums, so in float32. */
import { addDims, fixedDim, mulDims, normalAxis, range, type Dim } from '../dims.ts';
import { describe, numberOf, numbersOf } from '../graph.ts';
import { gradientOf } from './derivatives.ts';
import { dot, stridesOf, unravel } from './evaluators.ts';
import {
  WIDE,
  type Derivative,
  type Evaluator,
  type Operator,
  type ShapeContext,
  type ShapeRule,
} from './operator.ts';
import { numbersFrom, only } from './shapeRules.ts';

/** Axes a reduction removes, from its input (operator set 18) or attribute; all when neither is given. */
export function reducedAxes(c: ShapeContext): number[] {
  const rank = c.input(0).dims.length;
  const axes = numbersFrom(c, 1, numbersOf(c.node, 'axes') ?? range(rank));
  return axes.map((axis) => normalAxis(axis, rank));
}

const reduceShape: ShapeRule = (c) => {
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

const reduceValue =
  (combine: (a: Dim, b: Dim) => Dim): Evaluator =>
  (context, [input]) => {
    const axes = reducedAxes(context);
    const kept = input!.dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const totals: Dim[] = [];
    input!.values.forEach((value, flat) => {
      const index = unravel(flat, input!.dims).map((at, i) => (axes.includes(i) ? 0 : at));
      const at = dot(index, stridesOf(kept));
      totals[at] = totals[at] === undefined ? value : combine(totals[at], value);
    });
    return totals;
  };

/** g spread over the summed axes, divided by their size for a mean. */
const spread =
  (isMean: boolean): Derivative =>
  (c) => {
    const x = c.node.inputs[0]!;
    const dims = c.at.dims(x);
    const axes = reducedAxes(c.shapes);
    const kept = dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const count = isMean
      ? axes.reduce((product, axis) => product * fixedDim(dims[axis], describe(c.node)), 1)
      : 1;
    const g = c.at.scale(c.at.reshape(gradientOf(c), kept), 1 / count);
    return [c.at.expandLike(g, x), undefined];
  };

export const reductionOperators = {
  ArgMax: { shape: argMax },
  ReduceMax: { shape: reduceShape, evaluate: reduceValue((a, b) => Math.max(a as number, b as number)) },
  ReduceMean: { ...WIDE, shape: reduceShape, derivative: spread(true) },
  ReduceMin: { shape: reduceShape },
  ReduceProd: { shape: reduceShape, evaluate: reduceValue(mulDims) },
  ReduceSum: { ...WIDE, shape: reduceShape, evaluate: reduceValue(addDims), derivative: spread(false) },
} satisfies Record<string, Operator>;
