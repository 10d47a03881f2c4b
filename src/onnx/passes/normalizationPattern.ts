/** LayerNormalization as operator sets before 17 spell it: (x − mean)/√(mean((x − mean)²) + ε)·scale + bias. */
import { float, int, type Node } from '../graph.ts';
import type { Matcher, Pattern } from './matcher.ts';

export const matchLayerNormalization: Pattern = (matcher, node) => {
  if (node.op !== 'Add') return undefined;
  const affine = matcher.operands(node, (input) => isWeight(matcher, input));
  const product = affine && matcher.made(affine[1], 'Mul');
  const factors = product && matcher.operands(product, (input) => isWeight(matcher, input));
  const core = factors && standardized(matcher, factors[1]);
  if (!core) return undefined;
  const attributes = { axis: int(-1), epsilon: float(core.epsilon) };
  return { ...node, op: 'LayerNormalization', inputs: [core.x, factors[0], affine[0]], attributes };
};

const isWeight = (matcher: Matcher, value: string) => matcher.graph.constants.get(value)?.dims.length === 1;

/** x and ε of (x − mean)/√(variance + ε). */
function standardized(matcher: Matcher, value: string): { x: string; epsilon: number } | undefined {
  const quotient = matcher.made(value, 'Div');
  const centred = matcher.made(quotient?.inputs[0], 'Sub');
  const root = matcher.made(quotient?.inputs[1], 'Sqrt');
  const sum = matcher.made(root?.inputs[0], 'Add');
  const pair = sum && matcher.operands(sum, (input) => matcher.number(input) !== undefined);
  if (!centred || !pair || !isVariance(matcher, pair[1], centred)) return undefined;
  const mean = matcher.made(centred.inputs[1], 'ReduceMean');
  return mean?.inputs[0] === centred.inputs[0]
    ? { x: centred.inputs[0]!, epsilon: matcher.number(pair[0])! }
    : undefined;
}

/** mean(c²), the square written as Pow or as a product. */
function isVariance(matcher: Matcher, value: string, centred: Node): boolean {
  const mean = matcher.made(value, 'ReduceMean');
  const square = matcher.made(mean?.inputs[0], 'Pow', 'Mul');
  if (!square || !sameDifference(matcher, square.inputs[0], centred)) return false;
  return square.op === 'Pow' ? matcher.number(square.inputs[1]) === 2 : square.inputs[0] === square.inputs[1];
}

function sameDifference(matcher: Matcher, value: string | undefined, centred: Node): boolean {
  const other = matcher.made(value, 'Sub');
  return (
    other === centred ||
    (other !== undefined && other.inputs.every((input, i) => input === centred.inputs[i]))
  );
}
