/**
 * Frees the batch of a model that was exported for a fixed one: exporters then write that number into the shapes of
 * Reshape and Expand, where its place is the first axis.
 */
import { AppError } from '../../lib/errors.ts';
import { isBatch, type Dim } from '../dims.ts';
import { describe, type Graph, type Node, type TensorType } from '../graph.ts';
import type { KnownValues } from '../infer.ts';
import { makeConstant, type Known } from '../values.ts';

/** The number of rows for which the model was exported; undefined when it leaves them free. */
export function fixedBatchOf(stock: Graph, inputs: ReadonlyMap<string, TensorType>): number | undefined {
  const rows = [...inputs.keys()].map((name) => stock.inputs.get(name)?.dims[0]);
  return rows.find((dim): dim is number => typeof dim === 'number');
}

/** A Reshape or Expand of a free batch to a fixed one, to the free one instead. Other nodes stay. */
export function freeBatch(graph: Graph, known: KnownValues, node: Node, rows: number): Node {
  const [value, shape] = node.inputs as [string, string | undefined];
  if ((node.op !== 'Reshape' && node.op !== 'Expand') || !shape) return node;
  const from = graph.typeOf(value).dims;
  const target = known.get(shape);
  const [first] = target?.values ?? [];
  if (!target || !from.some(isBatch) || typeof first !== 'number' || first <= 0) return node;
  if (node.op === 'Expand') return keepingBatch(graph, node, from, target);
  const name = graph.fresh('shape');
  known.set(name, { ...target, values: [freed(node, first, rows), ...target.values.slice(1)] });
  return { ...node, inputs: [value, name] };
}

function freed(node: Node, first: number, rows: number): Dim {
  if (first % rows === 0) return { batch: first / rows };
  const message = `expected a shape that starts with a multiple of the ${rows} rows for which the model was exported, found ${first} in ${describe(node)}; export it with a dynamic batch`;
  throw new AppError('onnx.fixedBatch', message);
}

/** An axis expanded to 1 stays what it is. */
function keepingBatch(graph: Graph, node: Node, from: readonly Dim[], target: Known): Node {
  const lead = target.values.length - from.length;
  const sizes = target.values.map((size, i) => (isBatch(from[i - lead] ?? 1) ? 1 : (size as number)));
  const shape = graph.addConstant(graph.fresh('shape'), makeConstant('int64', target.dims, sizes));
  return { ...node, inputs: [node.inputs[0]!, shape] };
}
