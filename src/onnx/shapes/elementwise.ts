/** Shapes of element-by-element operators. */
import { broadcastDims } from '../dims.ts';
import { elementTypes } from '../elementTypes.ts';
import type { ElementType } from '../graph.ts';
import { numberOf } from '../graph.ts';
import { only, type ShapeContext, type ShapeRule } from './rule.ts';

const same: ShapeRule = (c) => [c.input(0)];

const dimsOfBoth = (c: ShapeContext) => broadcastDims(c.input(0).dims, c.input(1).dims);

const arithmetic: ShapeRule = (c) => only(c.input(0).type, dimsOfBoth(c));

const comparison: ShapeRule = (c) => only('bool', dimsOfBoth(c));

const test: ShapeRule = (c) => only('bool', c.input(0).dims);

const variadic: ShapeRule = (c) => {
  const inputs = c.node.inputs.map((_, i) => c.input(i));
  return only(inputs[0]!.type, inputs.map((input) => input.dims).reduce(broadcastDims));
};

const where: ShapeRule = (c) =>
  only(c.input(1).type, broadcastDims(c.input(0).dims, broadcastDims(c.input(1).dims, c.input(2).dims)));

const cast: ShapeRule = (c) => {
  const type: ElementType = elementTypes[numberOf(c.node, 'to', 1) as keyof typeof elementTypes] ?? 'float32';
  return only(type, c.input(0).dims);
};

export const elementwiseShapes: Record<string, ShapeRule> = {
  Abs: same,
  Add: arithmetic,
  And: comparison,
  Cast: cast,
  CastLike: (c) => only(c.input(1).type, c.input(0).dims),
  Ceil: same,
  Clip: same,
  Cos: same,
  Div: arithmetic,
  Equal: comparison,
  Erf: same,
  Exp: same,
  Floor: same,
  Gelu: same,
  Greater: comparison,
  GreaterOrEqual: comparison,
  Identity: same,
  IsNaN: test,
  Less: comparison,
  LessOrEqual: comparison,
  Log: same,
  Max: variadic,
  Min: variadic,
  Mod: arithmetic,
  Mul: arithmetic,
  Neg: same,
  Not: test,
  Or: comparison,
  Pow: arithmetic,
  QuickGelu: same,
  Reciprocal: same,
  Relu: same,
  Sigmoid: same,
  Sin: same,
  Softmax: same,
  Sqrt: same,
  Sub: arithmetic,
  Sum: variadic,
  Tanh: same,
  Trilu: same,
  Where: where,
};
