/** What derivative rules are made of. y is an operator's output, g its gradient. */
import { AppError } from '../../lib/errors.ts';
import { range, sameDim, sameDims, type Dim } from '../dims.ts';
import { describe } from '../graph.ts';
import { numbersIn } from '../values.ts';
import type { Derivative, Emitter, GradContext } from './operator.ts';

/** The gradient of a single-output node. */
export function gradientOf(c: GradContext): string {
  return c.gradients[0]!;
}

/** Derivative of a one-input operator from the gradient of its output. */
export function unary(derive: (c: GradContext, x: string, y: string, g: string) => string): Derivative {
  return (c) => [derive(c, c.node.inputs[0]!, c.node.outputs[0]!, gradientOf(c))];
}

/** Gives each input its share of g, summed over broadcast axes. */
export function binary(
  derive: (c: GradContext, i: 0 | 1, a: string, b: string, g: string) => string,
): Derivative {
  return (c) => {
    const [a, b] = c.node.inputs as [string, string];
    return ([0, 1] as const).map((i) =>
      c.needs(i) ? unbroadcast(c.at, derive(c, i, a, b, gradientOf(c)), c.at.dims(i ? b : a)) : undefined,
    );
  };
}

/** Sums a gradient over the axes that broadcasting added or stretched. */
export function unbroadcast(at: Emitter, gradient: string, dims: readonly Dim[]): string {
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
  return new AppError('onnx.noDerivative', message);
}

/** Refuses a gradient towards an input, such as a weight, that the rule does not derive. */
export function refuse(c: GradContext, i: number): void {
  if (!c.needs(i)) return;
  const message = `expected gradients towards data only, found one towards input ${i} ("${c.node.inputs[i] ?? ''}") of ${describe(c.node)}`;
  throw new AppError('onnx.noDerivative', message);
}
