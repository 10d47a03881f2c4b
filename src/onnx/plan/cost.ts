/** What nodes cost: bytes of their values and floating-point operations. */
import { sizeOf } from '../../lib/numbers.ts';
import { isBatch, type Dim } from '../dims.ts';
import { numberOf, type Graph, type Node, type TensorType } from '../graph.ts';
import { elementSize } from '../values.ts';

/** Number of elements at a batch of `batch`. */
export function elementsOf(dims: readonly Dim[], batch: number): number {
  return sizeOf(dims.map((dim) => (isBatch(dim) ? dim.batch * batch : dim)));
}

export function bytesOf({ type, dims }: TensorType, batch: number): number {
  return elementsOf(dims, batch) * elementSize(type);
}

/** Multiplications and additions of products, one operation per element of everything else. */
export function operationsOf(graph: Graph, node: Node, batch: number): number {
  const elements = (value: string) => elementsOf(graph.typeOf(value).dims, batch);
  const output = elements(node.outputs[0]!);
  const [a, b] = node.inputs as [string, string];
  switch (node.op) {
    case 'MatMul':
      return 2 * output * elementsOf(graph.typeOf(a).dims.slice(-1), batch);
    case 'Gemm':
      return 2 * output * elementsOf([graph.typeOf(a).dims[numberOf(node, 'transA', 0) ? 0 : 1]!], batch);
    case 'Conv':
      return 2 * output * elementsOf(graph.typeOf(b).dims.slice(1), batch);
    case 'ConvTranspose':
      return 2 * elements(a) * elementsOf(graph.typeOf(b).dims.slice(1), batch);
    case 'Reshape':
    case 'Squeeze':
    case 'Unsqueeze':
      return 0;
    default:
      return output;
  }
}

export function isProduct({ op }: Node): boolean {
  return op === 'MatMul' || op === 'Gemm' || op === 'Conv' || op === 'ConvTranspose';
}
