/** Gelu and QuickGelu (SiLU is QuickGelu with α = 1). */
import { float, type Node } from '../graph.ts';
import { nearly, type Matcher, type Pattern } from './matcher.ts';

/** ½·x·(1 + erf(x/√2)), its factors in any order. */
export const matchGelu: Pattern = (matcher, node) => {
  if (node.op !== 'Mul') return undefined;
  const factors = flattenProduct(matcher, node, 3);
  const half = factors.find((factor) => nearly(matcher.number(factor), 0.5));
  const step = factors.find((factor) => argumentOfStep(matcher, factor));
  const rest = factors.filter((factor) => factor !== half && factor !== step);
  const x = step && argumentOfStep(matcher, step);
  if (!x || !half || factors.length !== 3 || rest.length !== 1 || rest[0] !== x) return undefined;
  return { ...node, op: 'Gelu', inputs: [x], attributes: {} };
};

/** Leaves of a product tree with `limit` leaves at most. */
function flattenProduct(matcher: Matcher, node: Node, limit: number): string[] {
  let leaves = [...node.inputs];
  for (let i = 0; i < leaves.length && leaves.length < limit; i++) {
    const inner = matcher.made(leaves[i], 'Mul');
    if (inner) leaves = leaves.toSpliced(i--, 1, ...inner.inputs);
  }
  return leaves;
}

/** x of 1 + erf(x/√2). */
function argumentOfStep(matcher: Matcher, value: string): string | undefined {
  const sum = matcher.made(value, 'Add');
  const pair = sum && matcher.operands(sum, (input) => nearly(matcher.number(input), 1));
  const erf = pair && matcher.made(pair[1], 'Erf');
  const scaled = erf && matcher.scaled(erf.inputs[0]!);
  return scaled && nearly(scaled.factor, Math.SQRT1_2) ? scaled.x : undefined;
}

/** x·σ(αx). */
export const matchQuickGelu: Pattern = (matcher, node) => {
  if (node.op !== 'Mul') return undefined;
  const pair = matcher.operands(node, (input) => matcher.made(input, 'Sigmoid') !== undefined);
  const sigmoid = pair && matcher.made(pair[0], 'Sigmoid');
  if (!pair || !sigmoid) return undefined;
  const [inside] = sigmoid.inputs as [string];
  const scaled = matcher.scaled(inside);
  const factor = inside === pair[1] ? 1 : scaled?.x === pair[1] ? scaled.factor : undefined;
  if (factor === undefined) return undefined;
  return { ...node, op: 'QuickGelu', inputs: [pair[1]], attributes: { alpha: float(factor) } };
};
