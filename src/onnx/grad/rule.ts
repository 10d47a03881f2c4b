/** What a derivative rule sees and returns. */
import { AppError } from '../../lib/errors.ts';
import type { Builder } from '../builder.ts';
import { range, sameDim, sameDims, type Dim } from '../dims.ts';
import { describe, type Node } from '../graph.ts';
import { numbersIn } from '../values.ts';

export interface GradContext {
  readonly node: Node;
  /** Emits the backward pass. */
  readonly at: Builder;
  /** Emits what depends on weights only, outside the backward pass, so that onnxruntime folds it once. */
  readonly weights: Builder;
  /** Turn weights in every run instead of keeping them twice. */
  readonly lean: boolean;
  /** Gradient of each output; undefined where nothing depends on it. */
  readonly gradients: readonly (string | undefined)[];
  /** Whether input `i` leads to a wanted gradient. */
  needs(i: number): boolean;
  /** Whether a value follows from weights alone. */
  isWeight(value: string): boolean;
}

/** Gradient of each input, in order; undefined where it is not needed. */
export type Rule = (context: GradContext) => readonly (string | undefined)[];

/** The gradient of a single-output node. */
export function gradientOf(c: GradContext): string {
  return c.gradients[0]!;
}

/** Rule of a one-input operator from the gradient of its output. */
export function unary(derive: (c: GradContext, x: string, y: string, g: string) => string): Rule {
  return (c) => [derive(c, c.node.inputs[0]!, c.node.outputs[0]!, gradientOf(c))];
}

/** Sums a gradient over the axes that broadcasting added or stretched. */
export function unbroadcast(at: Builder, gradient: string, dims: readonly Dim[]): string {
  const from = at.dims(gradient);
  if (sameDims(from, dims)) return gradient;
  const lead = from.length - dims.length;
  const stretched = (axis: number) => axis < lead || !sameDim(from[axis]!, dims[axis - lead]!);
  const axes = range(from.length).filter(stretched);
  return at.reshape(axes.length ? at.reduceSum(gradient, axes) : gradient, dims);
}

/** Values of constant input `i`. */
export function constantInput(c: GradContext, i: number): number[] {
  return numbersIn(c.at.known(c.node.inputs[i] ?? ''), `input ${i} of ${describe(c.node)} in its derivative`);
}

/** For an operator of a form that its rule does not derive; `expected` says which it does. */
export function unsupported(c: GradContext, expected: string): AppError {
  const message = `expected ${expected}, found another form in ${describe(c.node)}; export the model differently or extend its rule`;
  return new AppError('onnx/no-derivative', message);
}

/** Refuses a gradient towards an input, such as a weight, that the rule does not derive. */
export function refuse(c: GradContext, i: number): void {
  if (!c.needs(i)) return;
  const message = `expected gradients towards data only, found one towards input ${i} ("${c.node.inputs[i] ?? ''}") of ${describe(c.node)}`;
  throw new AppError('onnx/no-derivative', message);
}
