/**
 * Simulates onnxruntime's memory over one run of a graph: a value gets its buffer when its node runs and gives it back
 * after its last reader; views and element-by-element operators take over their input's buffer as onnxruntime's
 * allocation planner decides; an `If` runs its then-branch on top of what is alive outside, and what it captures counts
 * as read there. What follows from weights alone is folded when the session loads and belongs to the weights.
 */
import { readsOf } from '../dead-code.ts';
import { isBatch, sameDims } from '../dims.ts';
import type { Branch, Graph, Node } from '../graph.ts';
import { KnownValues } from '../infer.ts';
import { bytesOf } from './cost.ts';
import { executionOrder } from './order.ts';

export interface MemoryUse {
  /** Weights as they lie in memory once the session is loaded. */
  readonly weightBytes: number;
  /** Highest sum of the values alive at one time; the caller's inputs apart. */
  readonly activationBytes: number;
}

const views = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Flatten', 'Identity']);

/** Operators whose kernels may write over an input of the same shape. */
const inPlace = new Set(
  'Add Sub Mul Div Neg Exp Log Sqrt Reciprocal Sigmoid Erf Sin Cos Tanh Relu Pow Abs Where'.split(' '),
);

interface Buffer {
  readonly bytes: number;
  readers: number;
}

interface Scope {
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

/** Memory of one run at a batch of `batch`, gradients computed. */
export function simulateMemory(graph: Graph, batch: number): MemoryUse {
  const folded = foldedValues(graph);
  const simulation = new Simulation(graph, batch, folded);
  return { weightBytes: weightBytes(graph, folded, batch), activationBytes: simulation.peakOf(graph) };
}

class Simulation {
  /** Values whose batch onnxruntime's shape inference does not know: their buffers are not taken over. */
  private readonly opaque = new Set<string>();
  private readonly known: KnownValues;

  constructor(
    private readonly graph: Graph,
    private readonly batch: number,
    private readonly folded: ReadonlySet<string>,
  ) {
    this.known = new KnownValues(graph);
  }

  /** Highest sum of the buffers that this scope owns. */
  peakOf({ nodes, outputs }: Scope): number {
    const running = executionOrder(nodes.filter((node) => !this.folded.has(node.outputs[0]!)));
    const readers = countReaders(running, outputs);
    const buffers = new Map<string, Buffer>();
    let alive = 0;
    let peak = 0;
    for (const node of running) {
      this.noteShape(node);
      peak = Math.max(peak, alive + this.innerPeak(node));
      for (const output of node.outputs) {
        const taken = this.takenOver(node, output, buffers);
        const buffer = taken ?? { bytes: bytesOf(this.graph.typeOf(output), this.batch), readers: 0 };
        buffer.readers += readers.get(output) ?? 0;
        buffers.set(output, buffer);
        if (!taken) alive += buffer.bytes;
      }
      peak = Math.max(peak, alive);
      for (const input of readsOf(node)) {
        const buffer = buffers.get(input);
        if (buffer && --buffer.readers === 0) alive -= buffer.bytes;
      }
      for (const output of node.outputs)
        if (buffers.get(output)!.readers === 0) alive -= buffers.get(output)!.bytes;
    }
    return peak;
  }

  private innerPeak(node: Node): number {
    const branch = thenBranch(node);
    return branch ? this.peakOf(branch) : 0;
  }

  private takenOver(node: Node, output: string, buffers: ReadonlyMap<string, Buffer>): Buffer | undefined {
    if (views.has(node.op)) return buffers.get(node.inputs[0]!);
    if (!inPlace.has(node.op) || this.opaque.has(output)) return undefined;
    const input = node.inputs.find(
      (value) => buffers.get(value)?.readers === 1 && this.sameType(value, output),
    );
    return buffers.get(input ?? '');
  }

  private sameType(a: string, b: string): boolean {
    const [x, y] = [this.graph.typeOf(a), this.graph.typeOf(b)];
    return x.type === y.type && sameDims(x.dims, y.dims) && !this.opaque.has(a);
  }

  private noteShape({ op, inputs, outputs }: Node): void {
    const targets = op === 'Reshape' ? this.known.get(inputs[1]!)?.values : undefined;
    for (const output of outputs) {
      const { dims } = this.graph.typeOf(output);
      const lost = targets?.some((target, i) => target === -1 && isBatch(dims[i]!));
      const inherited = inputs.some((input) => this.opaque.has(input));
      if (dims.some(isBatch) && (lost || inherited || op === 'If')) this.opaque.add(output);
    }
  }
}

function countReaders(nodes: readonly Node[], outputs: readonly string[]): Map<string, number> {
  const readers = new Map<string, number>();
  for (const value of [...nodes.flatMap(readsOf), ...outputs])
    readers.set(value, (readers.get(value) ?? 0) + 1);
  return readers;
}

function thenBranch(node: Node): Branch | undefined {
  const branch = node.attributes.then_branch;
  return branch?.kind === 'graph' ? branch.value : undefined;
}

/** Nodes of the graph and of all its branches, outer ones first. */
export function allNodes(nodes: readonly Node[]): Node[] {
  return nodes.flatMap((node) => [node, ...allNodes(thenBranch(node)?.nodes ?? [])]);
}

/** Values that onnxruntime computes once, when it loads the graph. */
export function foldedValues(graph: Graph): Set<string> {
  const fixed = new Set<string>();
  const isFixed = (value: string) => !value || graph.constants.has(value) || fixed.has(value);
  for (const node of allNodes(graph.nodes))
    if (node.op !== 'If' && node.inputs.length && node.inputs.every(isFixed))
      for (const output of node.outputs) fixed.add(output);
  return fixed;
}

/** Constants and folded values that a node of the run reads. */
function weightBytes(graph: Graph, folded: ReadonlySet<string>, batch: number): number {
  const running = allNodes(graph.nodes).filter((node) => !folded.has(node.outputs[0]!));
  const read = new Set(running.flatMap((node) => node.inputs));
  const kept = [...graph.constants.keys(), ...folded].filter((value) => read.has(value));
  return kept.reduce((sum, value) => sum + bytesOf(graph.typeOf(value), batch), 0);
}
