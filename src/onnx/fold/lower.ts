/** Spells out the compiler's own operators in standard ones, the way onnxruntime's fusions expect them. */
import { mapBranches, numberOf, type Graph, type Node } from '../graph.ts';
import { makeConstant } from '../values.ts';

/** In place, branches included. */
export function lower(graph: Graph): void {
  graph.nodes = lowerNodes(graph, graph.nodes);
}

function lowerNodes(graph: Graph, nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => {
    if (node.op === 'QuickGelu') return spellQuickGelu(graph, node);
    return [mapBranches(node, (branch) => ({ ...branch, nodes: lowerNodes(graph, branch.nodes) }))];
  });
}

/** x·σ(αx) */
function spellQuickGelu(graph: Graph, node: Node): Node[] {
  const [x] = node.inputs as [string];
  const [output] = node.outputs as [string];
  const alpha = numberOf(node, 'alpha', 1);
  const step = (op: string, inputs: string[], to: string): Node => ({
    op,
    name: `${to}/${op}`,
    inputs,
    outputs: [to],
    attributes: {},
  });
  const scaled = `${output}/scaled`;
  const factor = `${output}/alpha`;
  if (alpha !== 1) graph.addConstant(factor, makeConstant('float32', [], [alpha]));
  const scaling = alpha === 1 ? [] : [step('Mul', [x, factor], scaled)];
  const gate = step('Sigmoid', [alpha === 1 ? x : scaled], `${output}/gate`);
  return [...scaling, gate, step('Mul', [x, `${output}/gate`], output)];
}
