/** Dead-code removal. */
import type { Graph, Node } from './graph.ts';

/** Drops nodes and constants that no output needs; keeps the graph's inputs. */
export function removeDeadCode(graph: Graph): void {
  const live = new Set(graph.outputs);
  const kept: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((output) => live.has(output))) continue;
    kept.push(node);
    for (const input of readsOf(node)) live.add(input);
  }
  graph.nodes = kept.reverse();
  for (const name of graph.constants.keys()) if (!live.has(name)) graph.constants.delete(name);
}

/** Values a node reads, those of its branches included. */
export function readsOf(node: Node): string[] {
  const branches = Object.values(node.attributes).flatMap((a) => (a.kind === 'graph' ? [a.value] : []));
  return [...node.inputs, ...branches.flatMap((b) => [...b.nodes.flatMap(readsOf), ...b.outputs])];
}
