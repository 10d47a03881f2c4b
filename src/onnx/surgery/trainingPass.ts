/** The backward pass of a prepared graph, emitted apart from the graph's own nodes, so that it can be gated or divided. */
import { conditional } from '../branch.ts';
import { Builder } from '../builder.ts';
import type { Graph, Node } from '../graph.ts';
import { differentiate } from '../grad/reverse.ts';
import type { TrainingPass } from '../plan/segments.ts';

export interface PassTask {
  /** Its nodes are the forward pass. */
  readonly graph: Graph;
  /** Values whose gradients are wanted. */
  readonly wanted: readonly string[];
  /** Turn weights in every run instead of keeping them twice. */
  readonly lean: boolean;
  /** The gradient of each value that the loss is reached through. */
  seeds(at: Builder): ReadonlyMap<string, string>;
  /** Names the graph's outputs for the gradients, which come in the order of `wanted`. */
  outputs(at: Builder, gradients: readonly string[]): ReadonlyMap<string, string>;
}

/** Adds the input `compute_gradients` and differentiates. Throws as `differentiate` does. */
export function addTrainingPass({ graph, wanted, lean, ...task }: PassTask): TrainingPass {
  const condition = graph.addInput('compute_gradients', { type: 'bool', dims: [] });
  const forward = [...graph.nodes];
  const weights = new Builder(graph, graph.nodes, 'weights/');
  const nodes: Node[] = [];
  const at = new Builder(graph, nodes, 'backward/');
  const starts: [Node, number][] = [];
  const onVisit = (node: Node) => starts.push([node, nodes.length]);
  const seeds = task.seeds(at);
  const gradients = differentiate({ forward, at, weights, seeds, wanted, lean, onVisit });
  const end = nodes.length;
  const outputs = task.outputs(at, gradients);
  // What the seeds took belongs to the first node visited.
  const slices = starts.map(
    ([node, start], i) => [node, nodes.slice(i ? start : 0, starts[i + 1]?.[1] ?? end)] as const,
  );
  const backward = new Map(slices);
  return { graph, condition, forward: graph.nodes, backward, finish: nodes.slice(end), outputs };
}

/** The whole backward pass behind one `If`. */
export function wholeGate({ graph, condition, backward, finish, outputs }: TrainingPass): Node {
  return conditional({ graph, condition }, [...backward.values(), finish].flat(), outputs);
}
