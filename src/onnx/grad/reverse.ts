/**
 * Reverse-mode differentiation: one rule per operator, nodes visited backwards, gradients of a value with several
 * readers summed (by Add: Sum does not run on WebGPU). Only values between the wanted inputs and the seeds get
 * a gradient.
 */
import { AppError } from '../../lib/errors.ts';
import type { Builder } from '../builder.ts';
import { describe, type Graph, type Node } from '../graph.ts';
import { convRules } from './conv.ts';
import { elementwiseRules } from './elementwise.ts';
import { layoutRules } from './layout.ts';
import { matMulRules } from './matmul.ts';
import { normalizationRules } from './normalization.ts';
import type { GradContext, Rule } from './rule.ts';

export const rules: Readonly<Record<string, Rule>> = {
  ...convRules,
  ...elementwiseRules,
  ...layoutRules,
  ...matMulRules,
  ...normalizationRules,
};

export interface Differentiation {
  /** The forward pass, in execution order. */
  readonly forward: readonly Node[];
  /** Receives the backward pass. */
  readonly at: Builder;
  /** Receives what depends on weights only. */
  readonly weights: Builder;
  /** Gradient of each value the loss was reached through. */
  readonly seeds: ReadonlyMap<string, string>;
  /** Values whose gradients are wanted. */
  readonly wanted: readonly string[];
  /** Turn weights in every run instead of keeping them twice. */
  readonly lean?: boolean;
  /** Told of each node before its derivative is emitted. */
  readonly onVisit?: (node: Node) => void;
}

/**
 * Gradients of `wanted`, in order. Throws AppError `onnx/no-derivative` for an operator without a rule (naming
 * operator, node and tensor) and `onnx/unreached` when a wanted value does not influence any seed.
 */
export function differentiate(task: Differentiation): string[] {
  const active = reachableFrom(task.forward, task.wanted);
  const computed = reachableFrom(task.forward, [...task.at.graph.inputs.keys()]);
  const isWeight = (value: string) => !computed.has(value);
  const pending = new Map([...task.seeds].map(([value, gradient]) => [value, [gradient]]));
  for (const node of task.forward.toReversed()) {
    if (node.inputs.some((input) => active.has(input)) && node.outputs.some((output) => pending.has(output)))
      visit({ ...task, isWeight }, node, active, pending);
  }
  return task.wanted.map((value) => {
    const gradient = collect(task.at, pending.get(value));
    if (gradient) return gradient;
    throw new AppError(
      'onnx/unreached',
      `expected "${value}" to influence the loss, found no path between them`,
    );
  });
}

/** Values that depend on any of `sources`, those included. */
function reachableFrom(nodes: readonly Node[], sources: readonly string[]): Set<string> {
  const reached = new Set(sources);
  for (const node of nodes)
    if (node.inputs.some((input) => reached.has(input)))
      for (const output of node.outputs) reached.add(output);
  return reached;
}

function visit(
  { at, weights, wanted, isWeight, lean, onVisit }: Differentiation & Pick<GradContext, 'isWeight'>,
  node: Node,
  active: ReadonlySet<string>,
  pending: Map<string, string[]>,
): void {
  onVisit?.(node);
  const gradients = node.outputs.map((output) => collect(at, pending.get(output)));
  for (const output of node.outputs) if (!wanted.includes(output)) pending.delete(output);
  const needs = (i: number) => active.has(node.inputs[i] ?? '');
  ruleOf(
    at.graph,
    node,
  )({ node, at, weights, gradients, needs, isWeight, lean: lean === true }).forEach((gradient, i) => {
    const input = node.inputs[i];
    if (!gradient || !input || !active.has(input)) return;
    pending.set(input, [...(pending.get(input) ?? []), gradient]);
  });
}

function collect(at: Builder, parts: readonly string[] | undefined): string | undefined {
  return parts?.reduce((sum, part) => at.op('Add', [sum, part]));
}

function ruleOf(graph: Graph, node: Node): Rule {
  const rule = Object.hasOwn(rules, node.op) ? rules[node.op] : undefined;
  if (rule) return rule;
  const known = Object.keys(rules).join(', ');
  const message = `expected operators with a derivative (${known}), found ${describe(node)} among ${graph.nodes.length} nodes; add its rule to src/onnx/grad`;
  throw new AppError('onnx/no-derivative', message);
}
