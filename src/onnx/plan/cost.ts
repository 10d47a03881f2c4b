/** What nodes cost: bytes of their values and floating-point operations. */
import { sizeOf } from '../../lib/numbers.ts';
import { isBatch, type Dim } from '../dims.ts';
import type { Graph, Node, TensorType } from '../graph.ts';
import { WIDE } from '../operators/operator.ts';
import { operatorOf } from '../operators/table.ts';
import { elementSize } from '../values.ts';

/** Number of elements at a batch of `batch`. */
export function elementsOf(dims: readonly Dim[], batch: number): number {
  return sizeOf(dims.map((dim) => (isBatch(dim) ? dim.batch * batch : dim)));
}

export function bytesOf({ type, dims }: TensorType, batch: number): number {
  return elementsOf(dims, batch) * elementSize(type);
}

/** Multiplications and additions of one run. */
export function operationsOf(graph: Graph, node: Node, batch: number): number {
  const count = operatorOf(node.op)?.operations ?? WIDE.operations;
  const dims = (value: string) => graph.typeOf(value).dims;
  return count({ node, dims, elements: (shape) => elementsOf(shape, batch) });
}

export function isProduct({ op }: Node): boolean {
  return operatorOf(op)?.half === 'product';
}
