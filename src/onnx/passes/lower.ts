/** Spells out the compiler's own operators in standard ones, as onnxruntime's fusions expect them and WebGPU can run them. */
import { fixedDim } from '../dims.ts';
import { mapBranches, numberOf, type Graph, type Node } from '../graph.ts';
import { makeConstant } from '../values.ts';

/** WebGPU promises 8 buffers to a shader; onnxruntime's Split takes one for its input and one for each part. */
const MOST_PARTS = 7;

/** In place, branches included. */
export function lower(graph: Graph): void {
  graph.nodes = lowerNodes(graph, graph.nodes);
}

function lowerNodes(graph: Graph, nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => {
    if (node.op === 'QuickGelu') return spellQuickGelu(graph, node);
    if (node.op === 'Split' && node.outputs.length > MOST_PARTS) return spellSplit(graph, node);
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

/** A Slice for each part. */
function spellSplit(graph: Graph, node: Node): Node[] {
  const [x] = node.inputs as [string];
  const axis = numberOf(node, 'axis', 0);
  let start = 0;
  return node.outputs.map((output) => {
    const end = start + fixedDim(graph.typeOf(output).dims.at(axis), node.name);
    const bounds = [start, end, axis].map((value) =>
      graph.addConstant(graph.fresh('slice'), makeConstant('int64', [1], [value])),
    );
    start = end;
    return {
      op: 'Slice',
      name: `${output}/Slice`,
      inputs: [x, ...bounds],
      outputs: [output],
      attributes: {},
    };
  });
}
