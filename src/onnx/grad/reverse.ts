/**
 * Reverse-mode differentiation: one rule per operator, nodes visited backwards, gradients of a value with several
 * readers summed (by Add: Sum does not run on WebGPU). Only values between the wanted inputs and the seeds get
 * a gradient.
 */
import { AppError } from '../../lib/errors.ts';
import type { Builder } from '../builder.ts';
import { describe, type Graph, type Node } from '../graph.ts';
import { contextOf, KnownValues } from '../infer.ts';
import type { Derivative, GradContext } from '../operators/operator.ts';
import { operatorOf, operators } from '../operators/table.ts';

/** Operators with a derivative. */
export function differentiable(): string[] {
  return Object.keys(operators).filter((op) => operators[op]!.derivative);
}

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
 * Gradients of `wanted`, in order. Throws AppError `onnx.noDerivative` for an operator without a rule (naming
 * operator, node and tensor) and `onnx.unreached` when a wanted value does not influence any seed.
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
      'onnx.unreached',
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
  const shapes = contextOf(at.graph, new KnownValues(at.graph), node);
  const derive = derivativeOf(at.graph, node);
  const context = { node, shapes, at, weights, gradients, needs, isWeight, lean: lean === true };
  derive(context).forEach((gradient, i) => {
    const input = node.inputs[i];
    if (!gradient || !input || !active.has(input)) return;
    pending.set(input, [...(pending.get(input) ?? []), gradient]);
  });
}

function collect(at: Builder, parts: readonly string[] | undefined): string | undefined {
  return parts?.reduce((sum, part) => at.op('Add', [sum, part]));
}

function derivativeOf(graph: Graph, node: Node): Derivative {
  const derivative = operatorOf(node.op)?.derivative;
  if (derivative) return derivative;
  const known = differentiable().join(', ');
  const message = `expected operators with a derivative (${known}), found ${describe(node)} among ${graph.nodes.length} nodes; add it to src/onnx/operators`;
  throw new AppError('onnx.noDerivative', message);
}
