/**
 * Derivatives of normalizations towards their data. With x̂ = (x − mean)·r, r = 1/√(variance + ε) and the gradient
 * d of x̂: dx = r·(d − mean(d) − x̂·mean(d·x̂)). x̂ and r are computed again by one LayerNormalization with unit scale,
 * which leaves the forward pass as it was.
 */
import type { Builder } from '../builder.ts';
import { countElements, fixedDim, fixedDims, normalAxis, range, type Dim } from '../dims.ts';
import { float, int, numberOf } from '../graph.ts';
import { gradientOf, refuse, unbroadcast, type GradContext, type Rule } from './rule.ts';

interface Standardized {
  readonly normal: string;
  readonly inverse: string;
}

/** x̂ and r of `x` over its axes from `axis` on. */
function standardize(c: GradContext, x: string, axis: number, epsilon: number): Standardized {
  const dims = fixedDims(c.at.dims(x).slice(axis), 'a normalization');
  const attributes = { axis: int(axis), epsilon: float(epsilon) };
  const [normal, , inverse] = c.at.ops('LayerNormalization', [x, c.weights.filled(dims, 1)], attributes, 3);
  return { normal: normal!, inverse: inverse! };
}

function backThrough(
  at: Builder,
  { normal, inverse }: Standardized,
  d: string,
  axes: readonly number[],
): string {
  const centred = at.op('Sub', [d, at.reduceMean(d, axes)]);
  const projection = at.op('Mul', [normal, at.reduceMean(at.op('Mul', [d, normal]), axes)]);
  return at.op('Mul', [at.op('Sub', [centred, projection]), inverse]);
}

const layerNormalization: Rule = (c) => {
  refuse(c, 1);
  const [x, scale, bias] = c.node.inputs as [string, string, string | undefined];
  const rank = c.at.dims(x).length;
  const axis = normalAxis(numberOf(c.node, 'axis', -1), rank);
  const g = gradientOf(c);
  const standard = standardize(c, x, axis, numberOf(c.node, 'epsilon', 1e-5));
  const dx = backThrough(c.at, standard, c.at.op('Mul', [g, scale]), range(rank).slice(axis));
  return [dx, undefined, c.needs(2) ? unbroadcast(c.at, g, c.at.dims(bias!)) : undefined];
};

/** Normalizes each channel: x as [batch, channels, rest]. */
const instanceNormalization: Rule = (c) => {
  refuse(c, 1);
  refuse(c, 2);
  const [x, scale] = c.node.inputs as [string, string];
  const dims = c.at.dims(x);
  const flat: Dim[] = [dims[0]!, dims[1]!, countElements(dims.slice(2))];
  const standard = standardize(c, c.at.reshape(x, flat), 2, numberOf(c.node, 'epsilon', 1e-5));
  const g = c.at.reshape(gradientOf(c), flat);
  const channels = fixedDim(dims[1], 'a normalization');
  const d = isOnes(c, scale) ? g : c.at.op('Mul', [g, c.weights.reshape(scale, [1, channels, 1])]);
  return [c.at.reshape(backThrough(c.at, standard, d, [2]), dims), undefined, undefined];
};

/** Group normalization is exported as an instance normalization with unit scale. */
function isOnes(c: GradContext, value: string): boolean {
  return c.at.known(value)?.values.every((x) => x === 1) ?? false;
}

export const normalizationRules: Record<string, Rule> = {
  InstanceNormalization: instanceNormalization,
  LayerNormalization: layerNormalization,
};
