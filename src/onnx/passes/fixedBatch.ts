/**
 * Frees the batch of a model that was exported for a fixed one: exporters then write that number into the shapes of
 * Reshape and Expand, where its place is the first axis, and keep addends of zeros for as many rows.
 */
import { AppError } from '../../lib/errors.ts';
import { isBatch, sameDims, type Dim } from '../dims.ts';
import { describe, type Graph, type Node, type TensorType } from '../graph.ts';
import type { KnownValues } from '../infer.ts';
import { makeConstant, readConstant, type Known } from '../values.ts';

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

/** Addends that are zero for each of the fixed rows, and so for any number of them. */
export class FixedZeros {
  private readonly found = new Set<string>();

  constructor(
    private readonly graph: Graph,
    private readonly rows: number,
  ) {}

  /** What a node passes on unchanged since it adds zeros; undefined for all others. */
  passedBy({ op, inputs, outputs }: Node): string | undefined {
    const [a = '', b = ''] = inputs;
    const zero = [b, a].find((value) => this.isZero(value));
    if (zero === undefined) return undefined;
    const other = zero === b ? a : b;
    if (op === 'Mul' && this.isFinite(other)) this.found.add(outputs[0]!);
    return op === 'Add' && this.isForAll(zero, other) ? other : undefined;
  }

  private isZero(value: string): boolean {
    const content = this.graph.constants.get(value)?.content;
    return this.found.has(value) || (content?.kind === 'stored' && content.isZero === true);
  }

  private isFinite(value: string): boolean {
    const constant = this.graph.constants.get(value);
    const values = constant && readConstant(constant)?.values;
    return values !== undefined && values.every((each) => Number.isFinite(each));
  }

  /** Whether the zeros have a row for each of the fixed ones of the value. */
  private isForAll(zero: string, value: string): boolean {
    const [rows, ...rest] = this.graph.typeOf(zero).dims;
    const [batch, ...own] = this.graph.typeOf(value).dims;
    return batch !== undefined && isBatch(batch) && rows === batch.batch * this.rows && sameDims(rest, own);
  }
}
