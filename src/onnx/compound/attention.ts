/**
 * Attention operators: com.microsoft.Attention (projection included), com.microsoft.MultiHeadAttention (plain or packed
 * queries, keys and values) and the standard Attention of operator set 23, as
 * softmax(scale·q·kᵀ + bias)·v over [batch, heads, tokens, head].
 */
import type { Builder } from '../builder.ts';
import { fixedDim, type Dim } from '../dims.ts';
import { describe, int, numberOf, numbersOf, type Node } from '../graph.ts';
import { makeConstant } from '../values.ts';
import { refuseInputs, refuseOutputs, unsupportedForm, type CompoundRule } from './rule.ts';

/** Values [batch, heads, tokens, head]. */
interface Heads {
  readonly q: string;
  readonly k: string;
  readonly v: string;
}

const HIDDEN = -3.4028234663852886e38;

const PAST = ['past_key', 'past_value', 'past_sequence_length', 'cache_indirection'];

const multiHeadAttention: CompoundRule = (at, node) => {
  refuseInputs(node, 4, ['key_padding_mask']);
  refuseInputs(node, 6, PAST);
  refuseOutputs(node, 1, ['present_key', 'present_value', 'qk']);
  const mask = numberOf(node, 'unidirectional', 0) ? causal(at, node) : undefined;
  attend(at, node, unpack(at, node), [mask, node.inputs[5]], numberOf(node, 'scale', 0));
};

function unpack(at: Builder, node: Node): Heads {
  const [query, key, value, bias] = node.inputs as [string, string?, string?, string?];
  const heads = numberOf(node, 'num_heads', 1);
  if (at.dims(query).length === 5) return packed(at, query, ['q', 'k', 'v']) as unknown as Heads;
  if (!key) throw unsupportedForm(node, 'a query alone that is not packed with keys and values');
  const { k, v } = value ? { k: key, v: value } : splitProjection(at, node, key);
  const biases = bias ? thirds(at, bias) : [];
  const [q4, k4, v4] = [query, k, v].map((x, i) =>
    toHeads(at, biases[i] ? at.op('Add', [x, biases[i]]) : x, heads),
  ) as [string, string, string];
  return { q: q4, k: k4, v: v4 };
}

/** Parts of [batch, tokens, heads, parts, head]. */
function packed(at: Builder, value: string, parts: readonly string[]): Record<string, string> {
  const cut = (i: number) => at.op('Gather', [value, at.constant('int64', [], [i])], { axis: int(3) });
  return Object.fromEntries(parts.map((part, i) => [part, at.transpose(cut(i), [0, 2, 1, 3])]));
}

/** Keys and values packed by one product with an interleaved weight: two products with its halves. */
function splitProjection(at: Builder, node: Node, key: string): { k: string; v: string } {
  const [, , heads, parts, head] = at.dims(key);
  const product = sourceOf(at, key);
  if (parts !== 2 || product?.op !== 'MatMul') throw unsupportedForm(node, 'keys without values');
  const [context, weight] = product.inputs as [string, string];
  const rows = at.dims(weight)[0]!;
  const columns = at.reshape(weight, [rows, heads!, 2, head!]);
  const half = (i: number) => {
    const own = at.op('Gather', [columns, at.constant('int64', [], [i])], { axis: int(2) });
    const width = fixedDim(heads, describe(node)) * fixedDim(head, describe(node));
    return at.op('MatMul', [context, at.reshape(own, [rows, width])]);
  };
  return { k: half(0), v: half(1) };
}

/** The node that makes a value, behind its Reshape. */
function sourceOf(at: Builder, value: string): Node | undefined {
  const maker = (name: string) => at.graph.nodes.find(({ outputs }) => outputs.includes(name));
  const reshape = maker(value);
  return reshape?.op === 'Reshape' ? maker(reshape.inputs[0]!) : undefined;
}

function thirds(at: Builder, bias: string): string[] {
  return at.ops('Split', [bias], { axis: int(0), num_outputs: int(3) }, 3);
}

/** [batch, tokens, heads·head] or already [batch, heads, tokens, head]. */
function toHeads(at: Builder, value: string, heads: number): string {
  const dims = at.dims(value);
  if (dims.length === 4) return value;
  const [batch, tokens, width] = dims as [Dim, Dim, Dim];
  return at.transpose(
    at.reshape(value, [batch, tokens, heads, fixedDim(width, value) / heads]),
    [0, 2, 1, 3],
  );
}

const attention: CompoundRule = (at, node) => {
  refuseInputs(node, 3, ['mask_index', 'past']);
  refuseInputs(node, 6, ['past_sequence_length']);
  refuseOutputs(node, 1, ['present']);
  if (numbersOf(node, 'qkv_hidden_sizes') || numberOf(node, 'do_rotary', 0))
    throw unsupportedForm(node, 'heads of unequal width or rotary positions');
  const [x, weight, bias, , , scores] = node.inputs as [string, string, string?, string?, string?, string?];
  const product = at.op('MatMul', [x, weight]);
  const sum = bias ? at.op('Add', [product, bias]) : product;
  const parts = at.ops('Split', [sum], { axis: int(2), num_outputs: int(3) }, 3);
  const heads = numberOf(node, 'num_heads', 1);
  const [q, k, v] = parts.map((part) => toHeads(at, part, heads)) as [string, string, string];
  const mask = numberOf(node, 'unidirectional', 0) ? causal(at, node) : undefined;
  attend(at, node, { q, k, v }, [mask, scores], numberOf(node, 'scale', 0));
};

const standardAttention: CompoundRule = (at, node) => {
  refuseInputs(node, 4, PAST);
  refuseOutputs(node, 1, ['present_key', 'present_value', 'qk_matmul_output']);
  if (numberOf(node, 'softcap', 0)) throw unsupportedForm(node, 'a soft cap');
  const names = ['q_num_heads', 'kv_num_heads', 'kv_num_heads'];
  const [q, k, v] = names.map((name, i) => toHeads(at, node.inputs[i]!, numberOf(node, name, 1))) as [
    string,
    string,
    string,
  ];
  if (at.dims(q)[1] !== at.dims(k)[1]) throw unsupportedForm(node, 'fewer heads of keys than of queries');
  const mask = numberOf(node, 'is_causal', 0) ? causal(at, node) : undefined;
  attend(at, node, { q, k, v }, [mask, asBias(at, node.inputs[3])], numberOf(node, 'scale', 0));
};

/** A mask of truth values as what is added to the scores. */
function asBias(at: Builder, mask: string | undefined): string | undefined {
  if (!mask || at.graph.typeOf(mask).type !== 'bool') return mask;
  return at.op('Where', [mask, at.scalar(0), at.scalar(HIDDEN)]);
}

/** Hides what comes after each token; one constant for all layers. */
function causal(at: Builder, node: Node): string {
  const tokens = fixedDim(at.dims(node.inputs[0]!).at(-2), describe(node));
  const name = `causal/${tokens}`;
  if (at.graph.constants.has(name)) return name;
  const values = Array.from({ length: tokens ** 2 }, (_, i) =>
    i % tokens > Math.floor(i / tokens) ? HIDDEN : 0,
  );
  return at.graph.addConstant(name, makeConstant('float32', [1, 1, tokens, tokens], values));
}

/** `scale` 0 stands for 1/√head. The result has the layout of the node's output: heads joined unless q came split. */
function attend(
  at: Builder,
  node: Node,
  { q, k, v }: Heads,
  biases: readonly (string | undefined)[],
  scale: number,
): void {
  const [batch, heads, tokens, head] = at.dims(q) as [Dim, Dim, Dim, Dim];
  const factor = scale || fixedDim(head, describe(node)) ** -0.5;
  const product = at.op('MatMul', [at.scale(q, factor), at.transposeMatrix(k)]);
  const scores = biases.reduce<string>((sum, bias) => (bias ? at.op('Add', [sum, bias]) : sum), product);
  const weights = at.op('Softmax', [scores], { axis: int(-1) });
  const [output] = node.outputs as [string];
  if (node.op === 'Attention' && at.dims(node.inputs[0]!).length === 4) {
    at.named(output, 'MatMul', [weights, v]);
    return;
  }
  const rows = at.transpose(at.op('MatMul', [weights, v]), [0, 2, 1, 3]);
  const width = fixedDim(heads, describe(node)) * fixedDim(at.dims(v).at(-1), describe(node));
  at.named(output, 'Reshape', [rows, at.shape(at.dims(rows), [batch, tokens, width])]);
}

export const attentionRules: Record<string, CompoundRule> = {
  Attention: standardAttention,
  'com.microsoft.Attention': attention,
  'com.microsoft.MultiHeadAttention': multiHeadAttention,
};
