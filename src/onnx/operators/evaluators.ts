/** Values of shape arithmetic, over numbers and batch multiples, row-major: for what exporters leave of `x.shape`, masks and scales. */
import { sizeOf } from '../../lib/numbers.ts';
import { isBatch, type Dim } from '../dims.ts';
import type { Known } from '../values.ts';
import type { Evaluator } from './operator.ts';

/** Row-major strides. */
export function stridesOf(dims: readonly number[]): number[] {
  return dims.map((_, i) => sizeOf(dims.slice(i + 1)));
}

/** The index along each axis of element `flat`. */
export function unravel(flat: number, dims: readonly number[]): number[] {
  return stridesOf(dims).map((stride, i) => Math.floor(flat / stride) % dims[i]!);
}

export const dot = (index: readonly number[], strides: readonly number[]) =>
  index.reduce((sum, at, i) => sum + at * strides[i]!, 0);

/** Fills the output from a function of each element's index. */
export function generate(dims: readonly number[], valueAt: (index: number[]) => Dim): Dim[] {
  return Array.from({ length: sizeOf(dims) }, (_, flat) => valueAt(unravel(flat, dims)));
}

/** Element of `input` that broadcasting puts at `index` of the output. */
export function broadcastAt(input: Known, index: readonly number[]): Dim {
  const own = index.slice(index.length - input.dims.length).map((at, i) => (input.dims[i] === 1 ? 0 : at));
  return input.values[dot(own, stridesOf(input.dims))]!;
}

export const elementwise =
  (compute: (...values: Dim[]) => Dim): Evaluator =>
  (_, inputs, { dims }) =>
    generate(dims, (index) => compute(...inputs.map((input) => broadcastAt(input, index))));

export const numeric = (compute: (...values: number[]) => number): Evaluator => {
  const evaluate = elementwise((...values) => compute(...(values as number[])));
  return (context, inputs, output) =>
    inputs.some((input) => input.values.some(isBatch)) ? undefined : evaluate(context, inputs, output);
};

export const truth = (compute: (...values: number[]) => boolean) =>
  numeric((...values) => Number(compute(...values)));

export const keep: Evaluator = (_, [input]) => [...input!.values];
