/**
 * Simulates onnxruntime's memory over one run of a graph: a buffer (buffers.ts) is taken when its first node runs and
 * given back after its last reader; an `If` runs its then-branch on top of what is alive outside, and what it captures
 * counts as read there. What follows from weights alone is folded when the session loads and belongs to the weights.
 */
import type { Branch, Graph, Node } from '../graph.ts';
import { assignBuffers, Shapes } from './buffers.ts';
import { bytesOf } from './cost.ts';
import { executionOrder } from './order.ts';

export interface MemoryUse {
  /** Weights as they lie in memory once the session is loaded. */
  readonly weightBytes: number;
  /** Highest sum of the values alive at one time; the caller's inputs apart. */
  readonly activationBytes: number;
  /** The largest buffer among both; graphics cards limit it. */
  readonly largestBytes: number;
}

interface Scope {
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

export interface RunOptions {
  /** Whether the graph as written names its batch. */
  readonly batchIsNamed?: boolean;
  /** Whether the run computes gradients; drawing does not. */
  readonly gradients?: boolean;
}

/** Memory of one run at a batch of `batch`. */
export function simulateMemory(
  graph: Graph,
  batch: number,
  { batchIsNamed = true, gradients = true }: RunOptions = {},
): MemoryUse {
  const folded = foldedValues(graph);
  const simulation = new Simulation(graph, batch, folded, { batchIsNamed, gradients });
  const weights = weightSizes(graph, folded, batch);
  return {
    weightBytes: weights.reduce((sum, bytes) => sum + bytes, 0),
    activationBytes: simulation.peakOf(graph),
    largestBytes: Math.max(simulation.largestBytes, ...weights),
  };
}

class Simulation {
  readonly shapes: Shapes;
  /** The largest buffer of the scopes run so far. */
  largestBytes = 0;

  constructor(
    readonly graph: Graph,
    readonly batch: number,
    private readonly folded: ReadonlySet<string>,
    private readonly run: Required<RunOptions>,
  ) {
    this.shapes = new Shapes(graph, run.batchIsNamed);
  }

  /** Highest sum of the buffers that this scope owns. */
  peakOf({ nodes, outputs }: Scope): number {
    const running = executionOrder(nodes.filter((node) => !this.folded.has(node.outputs[0]!)));
    const buffers = assignBuffers(this, running, outputs);
    const made = new Array<number>(running.length).fill(0);
    const released = new Array<number>(running.length).fill(0);
    for (const { bytes, start, end } of buffers) {
      made[start]! += bytes;
      this.largestBytes = Math.max(this.largestBytes, bytes);
      if (end !== undefined) released[end]! += bytes;
    }
    let alive = 0;
    let peak = 0;
    running.forEach((node, i) => {
      peak = Math.max(peak, alive + Math.max(made[i]!, this.innerPeak(node)));
      alive += made[i]! - released[i]!;
    });
    return peak;
  }

  private innerPeak(node: Node): number {
    const branch = this.run.gradients ? thenBranch(node) : undefined;
    return branch ? this.peakOf(branch) : 0;
  }
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

/** Bytes of each constant and folded value that a node of the run reads. */
function weightSizes(graph: Graph, folded: ReadonlySet<string>, batch: number): number[] {
  const running = allNodes(graph.nodes).filter((node) => !folded.has(node.outputs[0]!));
  const read = new Set(running.flatMap((node) => node.inputs));
  const kept = [...graph.constants.keys(), ...folded].filter((value) => read.has(value));
  return kept.map((value) => bytesOf(graph.typeOf(value), batch));
}
