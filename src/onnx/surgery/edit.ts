/** Small edits of a graph: renaming values, rewiring inputs, inserting nodes. */
import { AppError } from '../../lib/errors.ts';
import { removeDeadCode } from '../deadCode.ts';
import type { Graph, Node, TensorType } from '../graph.ts';

/** Replaces `from` by `to` in the inputs of the nodes for which `where` holds. */
export function rewire(
  graph: Graph,
  from: string,
  to: string,
  where: (node: Node) => boolean = () => true,
): void {
  graph.nodes = graph.nodes.map((node) => {
    if (!node.inputs.includes(from) || !where(node)) return node;
    return { ...node, inputs: node.inputs.map((input) => (input === from ? to : input)) };
  });
}

/** Gives a computed value another name everywhere. */
export function rename(graph: Graph, from: string, to: string): void {
  if (from === to) return;
  graph.types.set(to, graph.typeOf(from));
  graph.nodes = graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input === from ? to : input)),
    outputs: node.outputs.map((output) => (output === from ? to : output)),
  }));
}

/** Inserts nodes right after the node that makes `value` (at the start for an input of the graph). */
export function insertAfter(graph: Graph, value: string, nodes: readonly Node[]): void {
  const at = graph.nodes.findIndex((node) => node.outputs.includes(value));
  graph.nodes.splice(at + 1, 0, ...nodes);
}

/** Type of a required input. Throws AppError `onnx.missingInput` listing what the model has. */
export function requireInput(inputs: ReadonlyMap<string, TensorType>, name: string): TensorType {
  const type = inputs.get(name);
  if (type) return type;
  const message = `expected an input "${name}", found ${[...inputs.keys()].join(', ')}; export in the Hugging Face layout`;
  throw new AppError('onnx.missingInput', message);
}

/** Lets a scalar input carry a number for each row: it is no longer given the axis it lacked. In place. */
export function vectorize(graph: Graph, input: string): void {
  if (requireInput(graph.inputs, input).dims.length) return;
  const carriers = new Set([input]);
  graph.nodes = graph.nodes.map((node) => {
    if (!carriers.has(node.inputs[0] ?? '')) return node;
    if (node.op === 'Cast' || node.op === 'Identity') carriers.add(node.outputs[0]!);
    if (node.op !== 'Unsqueeze' && node.op !== 'Reshape') return node;
    return { ...node, op: 'Identity', inputs: [node.inputs[0]!], attributes: {} };
  });
}

/** Drops all outputs but `name` (the first, where none is called so) and what only they need. In place. */
export function keepOutput(graph: Graph, name: string): void {
  const kept = graph.outputs.includes(name) ? name : graph.outputs[0]!;
  graph.outputs.splice(0, Infinity, kept);
  removeDeadCode(graph);
}
