/** What a rule that spells out a compound operator sees. */
import { AppError } from '../../lib/errors.ts';
import type { Builder } from '../builder.ts';
import { describe, type Node } from '../graph.ts';

/** Emits simple operators that make the node's outputs, by `at.named`; the types of its inputs are known. */
export type CompoundRule = (at: Builder, node: Node) => void;

/** Refuses a form of a compound operator; `found` says which. */
export function unsupportedForm(node: Node, found: string): AppError {
  const message = `expected a form of ${node.op} that Stable Diffusion uses, found ${found} in ${describe(node)}; ${INSTEAD}`;
  return new AppError('onnx.compound', message);
}

export const INSTEAD =
  'use the file as it was exported, before onnxruntime, Olive or Optimum optimized it, instead';

/** Refuses inputs from `first` on: the rule does not read them. */
export function refuseInputs(node: Node, first: number, names: readonly string[]): void {
  names.forEach((name, i) => {
    if (node.inputs[first + i]) throw unsupportedForm(node, `the input ${name}`);
  });
}

/** Refuses outputs from `first` on. */
export function refuseOutputs(node: Node, first: number, names: readonly string[]): void {
  names.forEach((name, i) => {
    if (node.outputs[first + i]) throw unsupportedForm(node, `the output ${name}`);
  });
}
