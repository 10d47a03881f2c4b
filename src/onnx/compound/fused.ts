/** com.microsoft's activations, and what it fuses with a bias, a product or a layout. */
import type { Builder } from '../builder.ts';
import { float, int, ints, numberOf, type Node } from '../graph.ts';
import { unsupportedForm, type CompoundRule } from './rule.ts';

function withBias(at: Builder, node: Node): string {
  const [x, bias] = node.inputs as [string, string?];
  return bias ? at.op('Add', [x, bias]) : x;
}

const gelu: CompoundRule = (at, node) => {
  at.named(node.outputs[0]!, 'Gelu', [withBias(at, node)]);
};

/** ½x·(1 + tanh(√(2/π)·(x + 0.044715·x³))) */
const fastGelu: CompoundRule = (at, node) => {
  const x = withBias(at, node);
  const cube = at.op('Mul', [at.op('Mul', [x, x]), x]);
  const inside = at.op('Add', [x, at.scale(cube, 0.044715)]);
  const step = at.op('Tanh', [at.scale(inside, Math.sqrt(2 / Math.PI))]);
  at.named(node.outputs[0]!, 'Mul', [at.scale(x, 0.5), at.op('Add', [step, at.scalar(1)])]);
};

const quickGelu: CompoundRule = (at, node) => {
  at.named(node.outputs[0]!, 'QuickGelu', [node.inputs[0]!], {
    alpha: float(numberOf(node, 'alpha', 1.702)),
  });
};

/** x·gelu(y) of [x, y] = input + bias. */
const biasSplitGelu: CompoundRule = (at, node) => {
  const sum = withBias(at, node);
  const axis = int(at.dims(sum).length - 1);
  const [x, y] = at.ops('Split', [sum], { axis, num_outputs: int(2) }, 2) as [string, string];
  at.named(node.outputs[0]!, 'Mul', [x, at.op('Gelu', [y])]);
};

const biasAdd: CompoundRule = (at, node) => {
  at.named(node.outputs[0]!, 'Add', [withBias(at, node), node.inputs[2]!]);
};

const fusedMatMul: CompoundRule = (at, node) => {
  if (numberOf(node, 'transBatchA', 0) || numberOf(node, 'transBatchB', 0))
    throw unsupportedForm(node, 'transposed batches');
  const [a, b] = node.inputs as [string, string];
  const left = numberOf(node, 'transA', 0) ? at.transposeMatrix(a) : a;
  const right = numberOf(node, 'transB', 0) ? at.transposeMatrix(b) : b;
  at.named(node.outputs[0]!, 'MatMul', [at.scale(left, numberOf(node, 'alpha', 1)), right]);
};

/** Pictures [batch, height, width, channels], kernel [out, height, width, in]. */
const nhwcConv: CompoundRule = (at, node) => {
  const [x, weight, bias] = node.inputs as [string, string, string?];
  const first = [x, weight].map((value) => at.transpose(value, [0, 3, 1, 2]));
  const y = at.op('Conv', [...first, ...(bias ? [bias] : [])], node.attributes);
  at.named(node.outputs[0]!, 'Transpose', [y], { perm: ints([0, 2, 3, 1]) });
};

export const fusedRules: Record<string, CompoundRule> = {
  'com.microsoft.BiasAdd': biasAdd,
  'com.microsoft.BiasGelu': gelu,
  'com.microsoft.BiasSplitGelu': biasSplitGelu,
  'com.microsoft.FastGelu': fastGelu,
  'com.microsoft.FusedMatMul': fusedMatMul,
  'com.microsoft.Gelu': gelu,
  'com.microsoft.NhwcConv': nhwcConv,
  'com.microsoft.QuickGelu': quickGelu,
};
