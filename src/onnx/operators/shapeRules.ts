/** What shape rules are made of. */
import { AppError } from '../../lib/errors.ts';
import type { Dim } from '../dims.ts';
import { describe, type ElementType, type TensorType } from '../graph.ts';
import type { ShapeContext } from './operator.ts';

export function only(type: ElementType, dims: readonly Dim[]): readonly TensorType[] {
  return [{ type, dims }];
}

/** Known dims (numbers or batch multiples) of a shape-like input. */
export function dimsFrom(context: ShapeContext, i: number): readonly Dim[] {
  const known = context.known(i);
  if (known) return known.values;
  throw unknownValue(context, i);
}

/** Known numbers of input `i`, or `fallback` when the input is omitted. */
export function numbersFrom(
  context: ShapeContext,
  i: number,
  fallback: readonly number[],
): readonly number[] {
  if (!context.has(i)) return fallback;
  const values = dimsFrom(context, i);
  if (values.every((value) => typeof value === 'number')) return values;
  throw unknownValue(context, i);
}

function unknownValue({ node }: ShapeContext, i: number): AppError {
  const message = `expected a value that follows from the model's sizes for input "${node.inputs[i] ?? ''}" of ${describe(node)}, found one computed from data`;
  return new AppError('onnx.dataDependentShape', message);
}
