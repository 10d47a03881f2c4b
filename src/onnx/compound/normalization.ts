/**
 * Normalizations: the standard GroupNormalization, com.microsoft's GroupNorm and SkipGroupNorm (channels last, with
 * activation) and SkipLayerNormalization. Groups become channels of an InstanceNormalization, which all providers run.
 */
import type { Builder } from '../builder.ts';
import { fixedDims, type Dim } from '../dims.ts';
import { describe, float, int, numberOf, type Node } from '../graph.ts';
import { sizeOf } from '../../lib/numbers.ts';
import { refuseOutputs, unsupportedForm, type CompoundRule } from './rule.ts';

const EPSILON = 1e-5;
const TO_CHANNELS_FIRST = [0, 3, 1, 2];
const TO_CHANNELS_LAST = [0, 2, 3, 1];

/** γ·(x − mean)/√(variance + ε) + β over each group of channels of x [batch, channels, …]. */
function normalizeGroups(at: Builder, node: Node, x: string, groups: number): string {
  const [, gamma, beta] = node.inputs as [string, string, string];
  const [batch, channels, ...picture] = at.dims(x) as [Dim, number, ...Dim[]];
  if (at.dims(gamma)[0] !== channels) throw unsupportedForm(node, 'one scale for each group');
  const rest = (channels / groups) * sizeOf(fixedDims(picture, describe(node)));
  const unit = (value: number) =>
    at.constant(
      'float32',
      [groups],
      Array.from({ length: groups }, () => value),
    );
  const epsilon = float(numberOf(node, 'epsilon', EPSILON));
  const grouped = at.reshape(x, [batch, groups, rest]);
  const normal = at.op('InstanceNormalization', [grouped, unit(1), unit(0)], { epsilon });
  const column = (value: string) => at.reshape(value, [channels, ...picture.map(() => 1)]);
  const scaled = at.op('Mul', [at.reshape(normal, at.dims(x)), column(gamma)]);
  return at.op('Add', [scaled, column(beta)]);
}

const groupNormalization: CompoundRule = (at, node) => {
  const result = normalizeGroups(at, node, node.inputs[0]!, numberOf(node, 'num_groups', 1));
  at.named(node.outputs[0]!, 'Identity', [result]);
};

/** The second output, if any, is the sum before the normalization. */
const skipGroupNorm: CompoundRule = (at, node) => {
  const isLast = numberOf(node, 'channels_last', 1) === 1;
  const first = (value: string) => (isLast ? at.transpose(value, TO_CHANNELS_FIRST) : value);
  const [x, , , skip, bias] = node.inputs as [string, string, string, string?, string?];
  const terms = [first(x), ...(bias ? [channelColumn(at, bias)] : [])];
  if (skip) terms.push(at.dims(skip).length === 4 ? first(skip) : channelColumn(at, skip));
  const sum = terms.reduce((total, term) => at.op('Add', [total, term]));
  const normal = normalizeGroups(at, node, sum, numberOf(node, 'groups', 1));
  const isActive = numberOf(node, 'activation', 0) === 1;
  const result = isActive ? at.op('QuickGelu', [normal], { alpha: float(1) }) : normal;
  const perm = { kind: 'ints', value: TO_CHANNELS_LAST } as const;
  const finish = (output: string | undefined, value: string) => {
    if (output) at.named(output, isLast ? 'Transpose' : 'Identity', [value], isLast ? { perm } : {});
  };
  finish(node.outputs[0], result);
  finish(node.outputs[1], sum);
};

/** [channels] or [batch, channels] beside a picture. */
function channelColumn(at: Builder, value: string): string {
  return at.reshape(value, [...at.dims(value), 1, 1]);
}

const skipLayerNormalization: CompoundRule = (at, node) => {
  refuseOutputs(node, 1, ['mean', 'inv_std_var']);
  const [x, skip, gamma, beta, bias] = node.inputs as [string, string, string, string?, string?];
  const shifted = bias ? at.op('Add', [x, bias]) : x;
  const [output, , , kept] = node.outputs as [string, string?, string?, string?];
  const sum = kept ? at.named(kept, 'Add', [shifted, skip]) : at.op('Add', [shifted, skip]);
  const attributes = { axis: int(-1), epsilon: float(numberOf(node, 'epsilon', EPSILON)) };
  at.named(output, 'LayerNormalization', [sum, gamma, ...(beta ? [beta] : [])], attributes);
};

export const normalizationRules: Record<string, CompoundRule> = {
  GroupNormalization: groupNormalization,
  'com.microsoft.GroupNorm': skipGroupNorm,
  'com.microsoft.SkipGroupNorm': skipGroupNorm,
  'com.microsoft.SkipLayerNormalization': skipLayerNormalization,
};
