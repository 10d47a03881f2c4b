/** Spells out the compiler's own operators in standard ones, the way onnxruntime's fusions expect them. */
import { numberOf, type Graph, type Node } from '../graph.ts';
import { makeConstant } from '../values.ts';

/** In place; only the main graph holds such operators. */
export function lower(graph: Graph): void {
  graph.nodes = graph.nodes.flatMap((node) =>
    node.op === 'QuickGelu' ? spellQuickGelu(graph, node) : [node],
  );
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
