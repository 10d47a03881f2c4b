/**
 * The order in which onnxruntime runs a graph's nodes (ExecutionOrder::DEFAULT): depth first from the nodes that nothing
 * reads, last listed first, each node after the nodes whose values it reads.
 */
import { readsOf } from '../deadCode.ts';
import type { Node } from '../graph.ts';

/** The nodes of one scope in execution order; values from outside it are ready. */
export function executionOrder(nodes: readonly Node[]): Node[] {
  const sources = sourcesOf(nodes);
  const read = new Set([...sources.values()].flat());
  const order: Node[] = [];
  const entered = new Set<Node>();
  const stack = nodes.filter((node) => !read.has(node)).map((node) => ({ node, done: false }));
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const { node, done } = entry;
    if (done) order.push(node);
    if (done || entered.has(node)) continue;
    entered.add(node);
    stack.push({ node, done: true });
    for (const source of sources.get(node)!)
      if (!entered.has(source)) stack.push({ node: source, done: false });
  }
  return order;
}

/** The nodes whose values each node reads, as listed. */
function sourcesOf(nodes: readonly Node[]): Map<Node, Node[]> {
  const index = new Map(nodes.flatMap((node, i) => node.outputs.map((output) => [output, i] as const)));
  return new Map(
    nodes.map((node) => {
      const found = new Set(readsOf(node).map((value) => index.get(value)));
      found.delete(undefined);
      return [node, [...found].sort((a, b) => a! - b!).map((i) => nodes[i!]!)];
    }),
  );
}
