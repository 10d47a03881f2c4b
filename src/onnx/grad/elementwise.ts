/** Derivatives of element-by-element operators. y is the output, g its gradient. */
import { numberOf } from '../graph.ts';
import {
  constantInput,
  gradientOf,
  refuse,
  unary,
  unbroadcast,
  unsupported,
  type GradContext,
  type Rule,
} from './rule.ts';

/** Gives each input its share of g, summed over broadcast axes. */
function binary(derive: (c: GradContext, i: 0 | 1, a: string, b: string, g: string) => string): Rule {
  return (c) => {
    const [a, b] = c.node.inputs as [string, string];
    return ([0, 1] as const).map((i) =>
      c.needs(i) ? unbroadcast(c.at, derive(c, i, a, b, gradientOf(c)), c.at.dims(i ? b : a)) : undefined,
    );
  };
}

/** d(a/b)/db = −y/b */
const div = binary((c, i, _, b, g) => {
  const quotient = c.at.op('Div', [g, b]);
  return i === 0 ? quotient : c.at.op('Neg', [c.at.op('Mul', [quotient, c.node.outputs[0]!])]);
});

/** dxᵖ/dx = p·xᵖ⁻¹, p a constant (Pow with a computed exponent has no reliable WebGPU kernel). */
const pow: Rule = (c) => {
  refuse(c, 1);
  const [x] = c.node.inputs as [string];
  const exponents = constantInput(c, 1);
  const p = exponents[0]!;
  if (exponents.some((other) => other !== p)) throw unsupported(c, 'one exponent for all numbers');
  const power = p === 2 ? x : c.at.op('Pow', [x, c.at.scalar(p - 1)]);
  return [unbroadcast(c.at, c.at.op('Mul', [gradientOf(c), c.at.scale(power, p)]), c.at.dims(x)), undefined];
};

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

/** The chosen side receives g, the other zero. */
const where: Rule = (c) => {
  const [condition, a, b] = c.node.inputs as [string, string, string];
  const zero = c.at.scalar(0);
  const g = gradientOf(c);
  const share = (sides: [string, string], side: string) =>
    unbroadcast(c.at, c.at.op('Where', [condition, ...sides]), c.at.dims(side));
  return [
    undefined,
    c.needs(1) ? share([g, zero], a) : undefined,
    c.needs(2) ? share([zero, g], b) : undefined,
  ];
};

export const elementwiseRules: Record<string, Rule> = {
  Add: binary((_c, _i, _a, _b, g) => g),
  Cast: unary((_c, _x, _y, g) => g),
  Cos: unary(({ at }, x, _, g) => at.op('Neg', [at.op('Mul', [g, at.op('Sin', [x])])])),
  Div: div,
  Erf: erf,
  Exp: unary(({ at }, _, y, g) => at.op('Mul', [g, y])),
  Gelu: gelu,
  Identity: unary((_c, _x, _y, g) => g),
  Log: unary(({ at }, x, _, g) => at.op('Div', [g, x])),
  Mul: binary((c, i, a, b, g) => c.at.op('Mul', [g, i === 0 ? b : a])),
  Neg: unary(({ at }, _x, _y, g) => at.op('Neg', [g])),
  Pow: pow,
  QuickGelu: quickGelu,
  Reciprocal: unary(({ at }, _, y, g) => at.op('Neg', [at.op('Mul', [g, at.op('Mul', [y, y])])])),
  Relu: unary(({ at }, x, _, g) => at.op('Where', [at.op('Greater', [x, at.scalar(0)]), g, at.scalar(0)])),
  Sigmoid: sigmoid,
  Sin: unary(({ at }, x, _, g) => at.op('Mul', [g, at.op('Cos', [x])])),
  Softmax: softmax,
  Sqrt: unary(({ at }, _, y, g) => at.op('Div', [at.scale(g, 0.5), y])),
  Sub: binary((c, i, _a, _b, g) => (i === 0 ? g : c.at.op('Neg', [g]))),
  Tanh: unary(({ at }, _, y, g) => at.op('Mul', [g, at.op('Sub', [at.scalar(1), at.op('Mul', [y, y])])])),
  Where: where,
};
