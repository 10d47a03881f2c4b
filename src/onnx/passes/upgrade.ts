/**
 * Rewrites nodes of older operator sets (13 and up) to the prepared one: reductions take axes as an input (18),
 * Split names its sizes or their number (18), and what is random becomes its mean.
 */
import { int, numbersOf, type Graph, type Node } from '../graph.ts';
import { makeConstant } from '../values.ts';

const AXES_BECAME_INPUT = 18;

/** The node in the prepared operator set; new constants go to `target`. */
export function upgradeNode(node: Node, stock: Graph, target: Graph): Node[] {
  if (node.op === 'RandomNormalLike') return [withoutNoise(node)];
  if (stock.opset >= AXES_BECAME_INPUT) return [node];
  if (node.op.startsWith('Reduce') && node.op !== 'ReduceSum') return [axesAsInput(node, target)];
  if (node.op === 'Split' && node.inputs.length < 2)
    return [{ ...node, attributes: { ...node.attributes, num_outputs: int(node.outputs.length) } }];
  return [node];
}

/** An autoencoder exported with its sampling gives the distribution's mean once its noise is zero. */
function withoutNoise({ inputs: [like], ...node }: Node): Node {
  return { ...node, op: 'Sub', inputs: [like!, like!], attributes: {} };
}

function axesAsInput(node: Node, target: Graph): Node {
  const attributes = Object.fromEntries(Object.entries(node.attributes).filter(([name]) => name !== 'axes'));
  const axes = numbersOf(node, 'axes');
  if (!axes) return node;
  const name = target.addConstant(target.fresh('axes'), makeConstant('int64', [axes.length], axes));
  return { ...node, attributes, inputs: [node.inputs[0]!, name] };
}
