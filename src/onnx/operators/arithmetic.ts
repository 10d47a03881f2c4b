/** Operators that compute number by number, with broadcasting. */
import { addDims, broadcastDims, divDims, isBatch, mulDims, sameDim, type Dim } from '../dims.ts';
import { ELEMENT_TYPES } from '../elementTypes.ts';
import { numberOf, type ElementType } from '../graph.ts';
import { isFloat } from '../values.ts';
import { binary, constantInput, gradientOf, refuse, unary, unbroadcast, unsupported } from './derivatives.ts';
import { broadcastAt, elementwise, generate, numeric, truth } from './evaluators.ts';
import {
  FOLLOWING,
  VIEW,
  WIDE,
  type Derivative,
  type Evaluator,
  type Operator,
  type ShapeContext,
  type ShapeRule,
} from './operator.ts';
import { only } from './shapeRules.ts';

export const same: ShapeRule = (c) => [c.input(0)];

const dimsOfBoth = (c: ShapeContext) => broadcastDims(c.input(0).dims, c.input(1).dims);

const arithmetic: ShapeRule = (c) => only(c.input(0).type, dimsOfBoth(c));

const comparison: ShapeRule = (c) => only('bool', dimsOfBoth(c));

const test: ShapeRule = (c) => only('bool', c.input(0).dims);

const variadic: ShapeRule = (c) => {
  const inputs = c.node.inputs.map((_, i) => c.input(i));
  return only(inputs[0]!.type, inputs.map((input) => input.dims).reduce(broadcastDims));
};

const whereShape: ShapeRule = (c) =>
  only(c.input(1).type, broadcastDims(c.input(0).dims, broadcastDims(c.input(1).dims, c.input(2).dims)));

const castShape: ShapeRule = (c) => {
  const type: ElementType =
    ELEMENT_TYPES[numberOf(c.node, 'to', 1) as keyof typeof ELEMENT_TYPES] ?? 'float32';
  return only(type, c.input(0).dims);
};

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

const trilu: Evaluator = ({ node }, [input, offset], { dims }) => {
  const shift = (offset?.values[0] as number | undefined) ?? 0;
  const upper = numberOf(node, 'upper', 1) === 1;
  return generate(dims, (index) => {
    const distance = index.at(-1)! - index.at(-2)! - shift;
    return (upper ? distance >= 0 : distance <= 0) ? broadcastAt(input!, index) : 0;
  });
};

/** d(a/b)/db = −y/b */
const divDerivative = binary((c, i, _, b, g) => {
  const quotient = c.at.op('Div', [g, b]);
  return i === 0 ? quotient : c.at.op('Neg', [c.at.op('Mul', [quotient, c.node.outputs[0]!])]);
});

/** dxᵖ/dx = p·xᵖ⁻¹, p a constant (Pow with a computed exponent has no reliable WebGPU kernel). */
const powDerivative: Derivative = (c) => {
  refuse(c, 1);
  const [x] = c.node.inputs as [string];
  const exponents = constantInput(c, 1);
  const p = exponents[0]!;
  if (exponents.some((other) => other !== p)) throw unsupported(c, 'one exponent for all numbers');
  const power = p === 2 ? x : c.at.op('Pow', [x, c.at.scalar(p - 1)]);
  return [unbroadcast(c.at, c.at.op('Mul', [gradientOf(c), c.at.scale(power, p)]), c.at.dims(x)), undefined];
};

/** The chosen side receives g, the other zero. */
const whereDerivative: Derivative = (c) => {
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

export const arithmeticOperators = {
  Abs: { shape: same, evaluate: numeric(Math.abs) },
  Add: {
    ...FOLLOWING,
    shape: arithmetic,
    evaluate: elementwise(addDims),
    derivative: binary((_c, _i, _a, _b, g) => g),
  },
  And: { shape: comparison, evaluate: truth((a, b) => a !== 0 && b !== 0) },
  Cast: {
    ...WIDE,
    carries: true,
    shape: castShape,
    evaluate: castTo,
    derivative: unary((_c, _x, _y, g) => g),
    idle: 'with the same type',
  },
  CastLike: { shape: (c) => only(c.input(1).type, c.input(0).dims), idle: 'with the same type' },
  Ceil: { shape: same, evaluate: numeric(Math.ceil) },
  Clip: { shape: same },
  Cos: {
    ...WIDE,
    shape: same,
    evaluate: numeric(Math.cos),
    derivative: unary(({ at }, x, _, g) => at.op('Neg', [at.op('Mul', [g, at.op('Sin', [x])])])),
  },
  Div: { ...WIDE, carries: true, shape: arithmetic, evaluate: divide, derivative: divDerivative },
  Dropout: { shape: same, idle: 'always' },
  Equal: { shape: comparison, evaluate: elementwise((a, b) => Number(sameDim(a, b))) },
  Exp: {
    ...WIDE,
    shape: same,
    evaluate: numeric(Math.exp),
    derivative: unary(({ at }, _, y, g) => at.op('Mul', [g, y])),
  },
  Floor: { shape: same, evaluate: numeric(Math.floor) },
  Greater: { shape: comparison, evaluate: truth((a, b) => a > b) },
  GreaterOrEqual: { shape: comparison, evaluate: truth((a, b) => a >= b) },
  Identity: { ...VIEW, shape: same, derivative: unary((_c, _x, _y, g) => g), idle: 'always' },
  IsNaN: { carries: true, shape: test, evaluate: truth(Number.isNaN) },
  Less: { shape: comparison, evaluate: truth((a, b) => a < b) },
  LessOrEqual: { shape: comparison, evaluate: truth((a, b) => a <= b) },
  Log: {
    ...WIDE,
    shape: same,
    evaluate: numeric(Math.log),
    derivative: unary(({ at }, x, _, g) => at.op('Div', [g, x])),
  },
  Max: { shape: variadic, evaluate: numeric(Math.max) },
  Min: { shape: variadic, evaluate: numeric(Math.min) },
  Mod: { shape: arithmetic, evaluate: numeric((a, b) => ((a % b) + b) % b) },
  Mul: {
    ...FOLLOWING,
    shape: arithmetic,
    evaluate: elementwise(mulDims),
    derivative: binary((c, i, a, b, g) => c.at.op('Mul', [g, i === 0 ? b : a])),
  },
  Neg: {
    ...FOLLOWING,
    carries: false,
    shape: same,
    evaluate: numeric((a) => -a),
    derivative: unary(({ at }, _x, _y, g) => at.op('Neg', [g])),
  },
  Not: { shape: test, evaluate: truth((a) => a === 0) },
  Or: { shape: comparison, evaluate: truth((a, b) => a !== 0 || b !== 0) },
  Pow: { ...WIDE, shape: arithmetic, evaluate: numeric(Math.pow), derivative: powDerivative },
  Reciprocal: {
    ...WIDE,
    shape: same,
    evaluate: numeric((a) => 1 / a),
    derivative: unary(({ at }, _, y, g) => at.op('Neg', [at.op('Mul', [g, at.op('Mul', [y, y])])])),
  },
  Sin: {
    ...WIDE,
    shape: same,
    evaluate: numeric(Math.sin),
    derivative: unary(({ at }, x, _, g) => at.op('Mul', [g, at.op('Cos', [x])])),
  },
  Sqrt: {
    ...WIDE,
    shape: same,
    evaluate: numeric(Math.sqrt),
    derivative: unary(({ at }, _, y, g) => at.op('Div', [at.scale(g, 0.5), y])),
  },
  Sub: {
    ...FOLLOWING,
    shape: arithmetic,
    evaluate: elementwise(subtract),
    derivative: binary((c, i, _a, _b, g) => (i === 0 ? g : c.at.op('Neg', [g]))),
  },
  Sum: { shape: variadic },
  Trilu: { shape: same, evaluate: trilu },
  Where: {
    ...FOLLOWING,
    shape: whereShape,
    evaluate: elementwise((condition, a, b) => (condition === 0 ? b : a)),
    derivative: whereDerivative,
  },
} satisfies Record<string, Operator>;
