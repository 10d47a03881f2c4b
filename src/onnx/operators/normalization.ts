/**
 * Normalizations, and their derivatives towards the data. Over rows of one mean and variance, with c = x − mean(x),
 * v = mean(c²) + ε, r = 1/√v and the gradient d of c·r: dx = r·(d − mean(d)) − c·(r/v)·mean(d·c). The statistics are
 * computed again, which leaves the forward pass as it was; in elementary steps, because a LayerNormalization of
 * 512 rows of 64 took 1 ms on one WebAssembly thread and each step 0.03 ms.
 */
import { countElements, fixedDim, normalAxis, range, type Dim } from '../dims.ts';
import { numberOf } from '../graph.ts';
import { same } from './arithmetic.ts';
import { gradientOf, refuse, unbroadcast } from './derivatives.ts';
import {
  WIDE,
  type Derivative,
  type Emitter,
  type GradContext,
  type Operator,
  type ShapeRule,
} from './operator.ts';

const layerShape: ShapeRule = (c) => {
  const { type, dims } = c.input(0);
  const axis = normalAxis(numberOf(c.node, 'axis', -1), dims.length);
  const statistic = { type, dims: dims.map((dim, i) => (i < axis ? dim : 1)) };
  return [{ type, dims }, statistic, statistic].slice(0, c.node.outputs.length);
};

/** ONNX's default of every normalization. */
const EPSILON = 1e-5;

function backThrough(at: Emitter, x: string, d: string, axes: readonly number[], epsilon: number): string {
  const centred = at.op('Sub', [x, at.reduceMean(x, axes)]);
  const variance = at.op('Add', [at.reduceMean(at.op('Mul', [centred, centred]), axes), at.scalar(epsilon)]);
  const inverse = at.op('Reciprocal', [at.op('Sqrt', [variance])]);
  const covariance = at.reduceMean(at.op('Mul', [d, centred]), axes);
  const slope = at.op('Mul', [covariance, at.op('Div', [inverse, variance])]);
  const direct = at.op('Mul', [at.op('Sub', [d, at.reduceMean(d, axes)]), inverse]);
  return at.op('Sub', [direct, at.op('Mul', [centred, slope])]);
}

const layerNormalization: Derivative = (c) => {
  refuse(c, 1);
  const [x, scale, bias] = c.node.inputs as [string, string, string | undefined];
  const rank = c.at.dims(x).length;
  const axes = range(rank).slice(normalAxis(numberOf(c.node, 'axis', -1), rank));
  const g = gradientOf(c);
  const d = c.at.op('Mul', [g, scale]);
  const dx = c.needs(0) ? backThrough(c.at, x, d, axes, numberOf(c.node, 'epsilon', EPSILON)) : undefined;
  return [dx, undefined, c.needs(2) ? unbroadcast(c.at, g, c.at.dims(bias!)) : undefined];
};

/** Normalizes each channel: x as [batch, channels, rest]. */
const instanceNormalization: Derivative = (c) => {
  refuse(c, 1);
  refuse(c, 2);
  const [x, scale] = c.node.inputs as [string, string];
  const dims = c.at.dims(x);
  const flat: Dim[] = [dims[0]!, dims[1]!, countElements(dims.slice(2))];
  const g = c.at.reshape(gradientOf(c), flat);
  const channels = fixedDim(dims[1], 'a normalization');
  const d = isOnes(c, scale) ? g : c.at.op('Mul', [g, c.weights.reshape(scale, [1, channels, 1])]);
  const dx = backThrough(c.at, c.at.reshape(x, flat), d, [2], numberOf(c.node, 'epsilon', EPSILON));
  return [c.at.reshape(dx, dims), undefined, undefined];
};

/** Group normalization is exported as an instance normalization with unit scale. */
function isOnes(c: GradContext, value: string): boolean {
  return c.at.known(value)?.values.every((x) => x === 1) ?? false;
}

export const normalizationOperators = {
  BatchNormalization: { shape: same },
  GroupNormalization: { shape: same },
  InstanceNormalization: { ...WIDE, shape: same, derivative: instanceNormalization },
  LayerNormalization: { ...WIDE, shape: layerShape, derivative: layerNormalization },
} satisfies Record<string, Operator>;
