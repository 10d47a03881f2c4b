/** Activations and softmax: computed in float32, whatever the precision of the products around them. */
import { numberOf } from '../graph.ts';
import { same } from './arithmetic.ts';
import { unary } from './derivatives.ts';
import { WIDE, type Operator } from './operator.ts';

/** σ′ = y·(1 − y) */
const sigmoid = unary(({ at }, _, y, g) => {
  const slope = at.op('Mul', [y, at.op('Sub', [at.scalar(1), y])]);
  return at.op('Mul', [g, slope]);
});

/** erf′(x) = 2/√π · exp(−x²) */
const erf = unary(({ at }, x, _, g) => {
  const bell = at.op('Exp', [at.op('Neg', [at.op('Mul', [x, x])])]);
  return at.op('Mul', [g, at.scale(bell, 2 / Math.sqrt(Math.PI))]);
});

/** With z = x/√2: gelu′ = ½(1 + erf z) + z/√π · exp(−z²) */
const gelu = unary(({ at }, x, _, g) => {
  const z = at.scale(x, Math.SQRT1_2);
  const bell = at.op('Exp', [at.op('Mul', [z, at.op('Neg', [z])])]);
  const slope = at.scale(at.op('Mul', [z, bell]), 1 / Math.sqrt(Math.PI));
  const step = at.scale(at.op('Erf', [z]), 0.5);
  return at.op('Mul', [g, at.op('Add', [at.op('Add', [step, slope]), at.scalar(0.5)])]);
});

/** y = x·s with s = σ(αx): y′ = s + αy·(1 − s). s is computed again, so that the forward pass can stay fused. */
const quickGelu = unary(({ at, node }, x, y, g) => {
  const alpha = numberOf(node, 'alpha', 1);
  const s = at.op('Sigmoid', [at.scale(x, alpha)]);
  const rest = at.op('Mul', [at.scale(y, alpha), at.op('Sub', [at.scalar(1), s])]);
  return at.op('Mul', [g, at.op('Add', [s, rest])]);
});

/** Towards x: y·(g − Σ g·y) along the axis. */
const softmax = unary(({ at, node }, _, y, g) => {
  const weighted = at.op('Mul', [g, y]);
  const total = at.reduceSum(weighted, [numberOf(node, 'axis', -1)]);
  return at.op('Sub', [weighted, at.op('Mul', [y, total])]);
});

const relu = unary(({ at }, x, _, g) =>
  at.op('Where', [at.op('Greater', [x, at.scalar(0)]), g, at.scalar(0)]),
);

const tanh = unary(({ at }, _, y, g) =>
  at.op('Mul', [g, at.op('Sub', [at.scalar(1), at.op('Mul', [y, y])])]),
);

export const activationOperators = {
  Erf: { ...WIDE, shape: same, derivative: erf },
  Gelu: { ...WIDE, shape: same, derivative: gelu },
  QuickGelu: { ...WIDE, shape: same, derivative: quickGelu },
  Relu: { ...WIDE, shape: same, derivative: relu },
  Sigmoid: { ...WIDE, shape: same, derivative: sigmoid },
  Softmax: { ...WIDE, carries: true, shape: same, derivative: softmax },
  Tanh: { ...WIDE, shape: same, derivative: tanh },
} satisfies Record<string, Operator>;
