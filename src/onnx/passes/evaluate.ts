/**
 * Values of shape arithmetic: one small evaluator per operator over numbers and batch multiples, row-major. Meant
 * for what exporters leave of `x.shape`, masks and scales, never for weights.
 */
import { sizeOf } from '../../lib/numbers.ts';
import { addDims, divDims, isBatch, mulDims, normalAxis, range, sameDim, type Dim } from '../dims.ts';
import { numberOf, numbersOf } from '../graph.ts';
import { dimsFrom, type ShapeContext } from '../shapes/rule.ts';
import { sliceRanges } from '../shapes/layout.ts';
import { reducedAxes } from '../shapes/network.ts';
import { isFloat, readConstant, type Known } from '../values.ts';

/** Values of the single output, whose type and dims are given; undefined when they cannot be known. */
export type Evaluator = (
  context: ShapeContext,
  inputs: readonly Known[],
  output: Omit<Known, 'values'>,
) => Dim[] | undefined;

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, i) => sizeOf(dims.slice(i + 1)));
}

/** The index along each axis of element `flat`. */
function unravel(flat: number, dims: readonly number[]): number[] {
  return stridesOf(dims).map((stride, i) => Math.floor(flat / stride) % dims[i]!);
}

const dot = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((sum, at, i) => sum + at * strides[i]!, 0);

/** Fills the output from a function of each element's index. */
function generate(dims: readonly number[], valueAt: (index: number[]) => Dim): Dim[] {
  return Array.from({ length: sizeOf(dims) }, (_, flat) => valueAt(unravel(flat, dims)));
}

/** Element of `input` that broadcasting puts at `index` of the output. */
function broadcastAt(input: Known, index: readonly number[]): Dim {
  const own = index.slice(index.length - input.dims.length).map((at, i) => (input.dims[i] === 1 ? 0 : at));
  return input.values[dot(own, stridesOf(input.dims))]!;
}

const elementwise =
  (compute: (...values: Dim[]) => Dim): Evaluator =>
  (_, inputs, { dims }) =>
    generate(dims, (index) => compute(...inputs.map((input) => broadcastAt(input, index))));

const numeric = (compute: (...values: number[]) => number): Evaluator => {
  const evaluate = elementwise((...values) => compute(...(values as number[])));
  return (context, inputs, output) =>
    inputs.some((input) => input.values.some(isBatch)) ? undefined : evaluate(context, inputs, output);
};

const truth = (compute: (...values: number[]) => boolean) =>
  numeric((...values) => Number(compute(...values)));

const divide: Evaluator = (context, inputs, output) => {
  const quotient = (a: Dim, b: Dim) => {
    const value = divDims(a, b);
    return isBatch(value) || isFloat(output.type) ? value : Math.trunc(value);
  };
  return elementwise(quotient)(context, inputs, output);
};

const subtract = (a: Dim, b: Dim) => addDims(a, mulDims(b, -1));

const castTo: Evaluator = (_, [input], { type }) =>
  input!.values.map((value) =>
    isBatch(value) || isFloat(type) ? value : type === 'bool' ? Number(value !== 0) : Math.trunc(value),
  );

// The second input is a shape, which broadcasting would read as data.
const expand: Evaluator = (context, inputs, output) =>
  elementwise((value) => value)(context, inputs.slice(0, 1), output);

const keep: Evaluator = (_, [input]) => [...input!.values];

const transpose: Evaluator = ({ node }, [input], { dims }) => {
  const order = numbersOf(node, 'perm') ?? range(dims.length).reverse();
  const strides = stridesOf(input!.dims);
  return generate(
    dims,
    (index) => input!.values[index.reduce((sum, at, i) => sum + at * strides[order[i]!]!, 0)]!,
  );
};

const concat: Evaluator = ({ node }, inputs, { dims }) => {
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

const slice: Evaluator = (context, [input], { dims }) => {
  const ranges = sliceRanges(context);
  const strides = stridesOf(input!.dims);
  return generate(dims, (index) => {
    const source = [...index];
    for (const { axis, start, step } of ranges) source[axis] = start + step * index[axis]!;
    return input!.values[dot(source, strides)]!;
  });
};

const gather: Evaluator = ({ node }, [data, indices], { dims }) => {
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

const trilu: Evaluator = ({ node }, [input, offset], { dims }) => {
  const shift = (offset?.values[0] as number | undefined) ?? 0;
  const upper = numberOf(node, 'upper', 1) === 1;
  return generate(dims, (index) => {
    const distance = index.at(-1)! - index.at(-2)! - shift;
    return (upper ? distance >= 0 : distance <= 0) ? broadcastAt(input!, index) : 0;
  });
};

const constantOfShape: Evaluator = ({ node }, _, { dims }) => {
  const fill = node.attributes.value;
  const value = fill?.kind === 'tensor' ? (readConstant(fill.value)?.values[0] ?? 0) : 0;
  return Array.from({ length: sizeOf(dims) }, () => value);
};

const rangeFrom: Evaluator = (context, _, { dims }) => {
  const start = dimsFrom(context, 0)[0] as number;
  const step = dimsFrom(context, 2)[0] as number;
  return generate(dims, ([at]) => start + step * at!);
};

const reduce =
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

export const evaluators: Record<string, Evaluator> = {
  Abs: numeric(Math.abs),
  Add: elementwise(addDims),
  And: truth((a, b) => a !== 0 && b !== 0),
  Cast: castTo,
  Ceil: numeric(Math.ceil),
  Concat: concat,
  ConstantOfShape: constantOfShape,
  Cos: numeric(Math.cos),
  Div: divide,
  Equal: elementwise((a, b) => Number(sameDim(a, b))),
  Exp: numeric(Math.exp),
  Expand: expand,
  Floor: numeric(Math.floor),
  Gather: gather,
  Greater: truth((a, b) => a > b),
  GreaterOrEqual: truth((a, b) => a >= b),
  IsNaN: truth(Number.isNaN),
  Less: truth((a, b) => a < b),
  LessOrEqual: truth((a, b) => a <= b),
  Log: numeric(Math.log),
  Max: numeric(Math.max),
  Min: numeric(Math.min),
  Mod: numeric((a, b) => ((a % b) + b) % b),
  Mul: elementwise(mulDims),
  Neg: numeric((a) => -a),
  Not: truth((a) => a === 0),
  Or: truth((a, b) => a !== 0 || b !== 0),
  Pow: numeric(Math.pow),
  Range: rangeFrom,
  Reciprocal: numeric((a) => 1 / a),
  ReduceMax: reduce((a, b) => Math.max(a as number, b as number)),
  ReduceProd: reduce(mulDims),
  ReduceSum: reduce(addDims),
  Reshape: keep,
  Sin: numeric(Math.sin),
  Slice: slice,
  Sqrt: numeric(Math.sqrt),
  Squeeze: keep,
  Sub: elementwise(subtract),
  Transpose: transpose,
  Trilu: trilu,
  Unsqueeze: keep,
  Where: elementwise((condition, a, b) => (condition === 0 ? b : a)),
};
