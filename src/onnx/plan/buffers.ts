/**
 * Which values of a scope share a buffer, by the rules of onnxruntime's allocation planner. It decides once, when the
 * session loads: a view lies in its input's buffer; any other value takes the buffer last left by a value of the same
 * shape, and a new one where none is left. A buffer that is taken again is held in between, and is given back only after
 * the last reader of the last value that lies in it. One that nobody reads, as a part of a Split, is not given back at all
 * before the scope ends, unless a value that is read takes its buffer. What a scope yields has a buffer of its own. No
 * kernel of the WebGPU provider writes over its input; of the CPU provider's, only activations and Softmax do.
 */
import { readsOf } from '../deadCode.ts';
import { isBatch } from '../dims.ts';
import type { Graph, Node } from '../graph.ts';
import { KnownValues } from '../infer.ts';
import { operatorOf } from '../operators/table.ts';
import { elementSize } from '../values.ts';
import { bytesOf } from './cost.ts';

export interface Buffer {
  readonly bytes: number;
  /** Shape of the value it was made for; undefined where onnxruntime does not know it. */
  readonly shape: string | undefined;
  /** Index of the node that the buffer is made for. */
  readonly start: number;
  /** Index of the last node that reads it; undefined where it is held until the scope ends. */
  end: number | undefined;
  /** Definitions and reads still to come, as the planner counts them. */
  uses: number;
}

/** Shapes as onnxruntime's own inference knows them. */
export class Shapes {
  /** Values with a size that it does not know. */
  private readonly opaque = new Set<string>();
  private readonly known: KnownValues;

  /** Without a name for the batch, no two sizes that depend on it are known to be the same. */
  constructor(
    private readonly graph: Graph,
    batchIsNamed: boolean,
  ) {
    this.known = new KnownValues(graph);
    if (batchIsNamed) return;
    for (const [name, { dims }] of graph.inputs) if (dims.some(isBatch)) this.opaque.add(name);
  }

  /** Two values of one key may share a buffer; undefined where a shape is not known, and for scalars. */
  keyOf(value: string): string | undefined {
    const { type, dims } = this.graph.typeOf(value);
    if (!dims.length || this.opaque.has(value)) return undefined;
    return `${elementSize(type)}:${dims.map((dim) => (isBatch(dim) ? `${dim.batch}B` : dim)).join()}`;
  }

  note(node: Node): void {
    const { op, inputs, outputs } = node;
    const isOpaque = (input: string) => this.opaque.has(input);
    // Concat takes from any input what another leaves open.
    const inherited = op === 'Concat' ? inputs.every(isOpaque) : inputs.some(isOpaque);
    for (const output of outputs)
      if (op === 'If' || inherited || this.isHidden(node, output)) this.opaque.add(output);
  }

  /** Whether a Reshape works a batch out as what is left over, or a Slice's ends come from the run. */
  private isHidden({ op, inputs }: Node, output: string): boolean {
    const { dims } = this.graph.typeOf(output);
    const given = this.known.get(inputs[1] ?? '');
    if (op === 'Slice') return !given || !this.known.get(inputs[2]!);
    return op === 'Reshape' && given?.values.some((size, i) => size === -1 && isBatch(dims[i]!)) === true;
  }
}

/** The buffers of the values that a scope's nodes, in execution order, make. */
export function assignBuffers(
  { graph, batch, shapes }: { graph: Graph; batch: number; shapes: Shapes },
  nodes: readonly Node[],
  outputs: readonly string[],
): Buffer[] {
  const buffers = new Map<string, Buffer>();
  const left = new Map<string, Buffer[]>();
  const reads = countReads(nodes, outputs);
  const bufferFor = (node: Node, output: string, start: number): Buffer | undefined => {
    const shape = shapes.keyOf(output);
    const fresh = { bytes: bytesOf(graph.typeOf(output), batch), shape, start, end: undefined, uses: 0 };
    if (outputs.includes(output)) return fresh;
    if (operatorOf(node.op)?.isView) return buffers.get(node.inputs[0]!);
    return left.get(shape ?? '')?.pop() ?? fresh;
  };
  nodes.forEach((node, at) => {
    shapes.note(node);
    for (const output of node.outputs) {
      const buffer = bufferFor(node, output, at);
      if (!buffer) continue;
      buffer.uses += 1 + (reads.get(output) ?? 0);
      // onnxruntime gives a buffer back only behind a reader: the readers of its earlier values do not count.
      buffer.end = undefined;
      buffers.set(output, buffer);
    }
    const inputs = readsOf(node);
    for (const value of inputs) {
      const buffer = buffers.get(value);
      if (buffer) buffer.end = at;
    }
    for (const value of [...inputs, ...node.outputs]) {
      const buffer = buffers.get(value);
      if (buffer && --buffer.uses === 0) pushTo(left, buffer.shape, buffer);
    }
  });
  for (const output of outputs) {
    const buffer = buffers.get(output);
    if (buffer) buffer.end = undefined;
  }
  return [...new Set(buffers.values())];
}

function pushTo(left: Map<string, Buffer[]>, shape: string | undefined, buffer: Buffer): void {
  if (shape === undefined) return;
  const same = left.get(shape);
  if (same) same.push(buffer);
  else left.set(shape, [buffer]);
}

function countReads(nodes: readonly Node[], outputs: readonly string[]): Map<string, number> {
  const reads = new Map<string, number>();
  for (const value of [...nodes.flatMap(readsOf), ...outputs]) reads.set(value, (reads.get(value) ?? 0) + 1);
  return reads;
}
