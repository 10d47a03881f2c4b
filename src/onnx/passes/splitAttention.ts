/**
 * Attention in blocks of queries: softmax(Q·Kᵀ)·V row by row needs no other row, so large probabilities [.., Q, K] never
 * exist as a whole. Checkpoint segments can end between two blocks, whose backward passes then run one after the
 * other as well.
 */
import { int, type Graph, type Node } from '../graph.ts';
import { Builder } from '../builder.ts';
import { fixedDim } from '../dims.ts';
import { elementsOf } from '../plan/cost.ts';
import { Matcher } from './matcher.ts';

/** Nodes from the product of queries and keys to that of probabilities and values, in order. */
interface Attention {
  readonly chain: readonly Node[];
  readonly queries: string;
  readonly result: string;
}

const FLOAT32_BYTES = 4;

/** Splits, in place, each attention whose float32 probabilities take more than `bytes` at a batch of `batch`. */
export function splitAttention(graph: Graph, batch: number, bytes: number): void {
  const matcher = new Matcher(graph);
  const readers = graph.consumers();
  for (const softmax of graph.nodes.filter(({ op }) => op === 'Softmax')) {
    const attention = attentionAround(matcher, readers, softmax);
    const size = FLOAT32_BYTES * elementsOf(graph.typeOf(softmax.outputs[0]!).dims, batch);
    const blocks = 2 ** Math.ceil(Math.log2(size / bytes));
    const rows = fixedDim(graph.typeOf(softmax.outputs[0]!).dims.at(-2), softmax.name);
    if (attention && blocks > 1 && rows % blocks === 0) split(graph, attention, blocks, rows / blocks);
  }
}

/** Undefined unless scores are one product of the queries, at most scaled, and read by nothing else. */
function attentionAround(
  matcher: Matcher,
  readers: ReadonlyMap<string, readonly Node[]>,
  softmax: Node,
): Attention | undefined {
  const [reader, ...others] = readers.get(softmax.outputs[0]!) ?? [];
  if (reader?.op !== 'MatMul' || reader.inputs[0] !== softmax.outputs[0] || others.length) return undefined;
  const chain = [softmax, reader];
  for (let value = softmax.inputs[0]!; ;) {
    if (readers.get(value)!.length > 1) return undefined;
    const product = matcher.made(value, 'MatMul');
    const scaling = product ?? matcher.made(value, 'Mul', 'Div');
    const x = scaling && (product ? product.inputs[0] : matcher.scaled(value)?.x);
    if (!x) return undefined;
    chain.unshift(scaling);
    if (product) return { chain, queries: x, result: reader.outputs[0]! };
    value = x;
  }
}

function split(graph: Graph, { chain, queries, result }: Attention, blocks: number, rows: number): void {
  const nodes: Node[] = [];
  const at = new Builder(graph, nodes, 'blocks/');
  const rank = at.dims(queries).length;
  const sizes = at.integers(Array.from({ length: blocks }, () => rows));
  const parts = at.ops('Split', [queries, sizes], { axis: int(rank - 2) }, blocks);
  const results = parts.map((part) => {
    const names = new Map([[queries, part]]);
    for (const { op, inputs, outputs, attributes } of chain) {
      const renamed = inputs.map((input) => names.get(input) ?? input);
      names.set(outputs[0]!, at.op(op, renamed, attributes));
    }
    return names.get(result)!;
  });
  at.named(result, 'Concat', results, { axis: int(at.dims(result).length - 2) });
  const old = new Set(chain);
  graph.nodes = graph.nodes.flatMap((node) => (node === chain.at(-1) ? nodes : old.has(node) ? [] : [node]));
}
