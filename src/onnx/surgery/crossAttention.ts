/**
 * Finds the cross-attention layers of a U-Net by structure. A matrix product that reads the context is a key or a
 * value projection. Its result reaches an attention product: if the other operand of that product is a Softmax, it
 * is a value; if the product's own result goes into a Softmax, it is a key. The Softmax identifies the layer, and
 * layers count in execution order. Attention in blocks of queries has a Softmax a block; the first stands for the layer.
 */
import { AppError } from '../../lib/errors.ts';
import { fixedDim } from '../dims.ts';
import { describe, type Graph, type Node } from '../graph.ts';
import { Tracer } from './trace.ts';

export interface Projection {
  readonly node: Node;
  /** The value that reaches the projection from the context. */
  readonly context: string;
}

export interface CrossAttention {
  readonly key: Projection;
  readonly value: Projection;
  /** Places in the picture that ask the context: height × width of the layer's feature map. */
  readonly positions: number;
  /** What the Softmax gives: how much each place attends to each token; of attention in blocks, one a block. */
  readonly probabilities: readonly string[];
}

type Role = 'key' | 'value';
type Roles = Partial<Record<Role, Projection>> & { readonly blocks?: readonly Node[] };

const isProduct = (node: Node) => node.op === 'MatMul' || node.op === 'Gemm';
const isSoftmax = (node: Node) => node.op === 'Softmax';

/** Layers in execution order. Throws AppError `onnx.crossAttention` when the structure is another. */
export function findCrossAttention(graph: Graph, context: string): CrossAttention[] {
  const tracer = new Tracer(graph);
  const layers = new Map<Node, Roles>();
  for (const { node, via } of tracer.downstream(context, isProduct)) {
    const { role, blocks } = roleOf(tracer, node);
    const [softmax] = blocks;
    const layer = layers.get(softmax) ?? {};
    if (layer[role]) throw unexpected(`two ${role} projections, the second being ${describe(node)}`);
    layers.set(softmax, { ...layer, blocks, [role]: { node, context: via } });
  }
  const found = graph.nodes
    .filter((node) => layers.has(node))
    .map((softmax) => complete(graph, softmax, layers.get(softmax)!));
  if (!found.length) throw unexpected(`no matrix product reading "${context}"`);
  return found;
}

function roleOf(tracer: Tracer, projection: Node): { role: Role; blocks: readonly [Node, ...Node[]] } {
  const found = tracer
    .downstream(projection.outputs[0]!, isProduct)
    .map((each) => softmaxAround(tracer, each));
  const [first, ...rest] = found;
  if (!first) throw unexpected(`no attention product after ${describe(projection)}`);
  return { role: first.role, blocks: [first.softmax, ...rest.map(({ softmax }) => softmax)] };
}

/** @param via the operand of the attention product that comes from the projection */
function softmaxAround(
  tracer: Tracer,
  { node, via }: { readonly node: Node; readonly via: string },
): { role: Role; softmax: Node } {
  const other = node.inputs.find((input) => input !== via)!;
  const before = tracer.upstream(other, (each) => isSoftmax(each) || isProduct(each));
  if (before && isSoftmax(before)) return { role: 'value', softmax: before };
  const [after] = tracer.downstream(node.outputs[0]!, isSoftmax);
  if (after) return { role: 'key', softmax: after.node };
  throw unexpected(`no Softmax around ${describe(node)}`);
}

function complete(graph: Graph, softmax: Node, { key, value, blocks = [] }: Roles): CrossAttention {
  if (!key || !value) throw unexpected(`only one projection of the context at ${describe(softmax)}`);
  const probabilities = blocks.map((block) => block.outputs[0]!);
  const rows = probabilities.map((each) => fixedDim(graph.typeOf(each).dims.at(-2), describe(softmax)));
  return { key, value, positions: rows.reduce((sum, count) => sum + count), probabilities };
}

function unexpected(found: string): AppError {
  const message = `expected cross-attention of Stable Diffusion's form (context → key and value products → Softmax), found ${found}; export with the plain attention processor`;
  return new AppError('onnx.crossAttention', message);
}
