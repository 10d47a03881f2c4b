/**
 * Gradient checkpointing (Chen et al., "Training deep nets with sublinear memory cost", 2016). The forward pass is cut
 * into segments; the backward pass runs one `If` a segment, last first, and each computes again what it needs of its own
 * forward nodes from what was kept: values that cross a cut, and products that cost more to repeat than to hold.
 * An `If` keeps onnxruntime from merging the repeated nodes with the first ones and from running them early.
 */
import { conditional } from '../branch.ts';
import { readsOf } from '../deadCode.ts';
import type { Graph, Node } from '../graph.ts';
import { bytesOf, isProduct, operationsOf } from './cost.ts';
import { foldedValues } from './memory.ts';

/** A training pass before it is divided. */
export interface TrainingPass {
  readonly graph: Graph;
  readonly condition: string;
  /** Forward nodes in execution order. */
  readonly forward: readonly Node[];
  /** Backward nodes that each forward node's derivative emitted. */
  readonly backward: ReadonlyMap<Node, readonly Node[]>;
  /** Nodes that join the gradients at the end. */
  readonly finish: readonly Node[];
  /** Outputs of the graph and the backward values that they carry. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** How to divide: the larger both numbers, the more memory and the fewer operations. */
export interface Division {
  /** Bytes of forward values in a segment. */
  readonly segmentBytes: number;
  /** Products of more bytes for each operation are computed again. */
  readonly keptDensity: number;
}

export interface Divided {
  /** Forward nodes, then one `If` a segment. */
  readonly nodes: readonly Node[];
  readonly segments: number;
  /** Operations of the recomputed nodes. */
  readonly recomputed: number;
}

export function divide(pass: TrainingPass, batch: number, division: Division): Divided {
  return new Divider(pass, batch, division).run();
}

class Divider {
  private readonly segmentOf = new Map<string, number>();
  private readonly producers: ReadonlyMap<string, Node>;
  private readonly kept = new Set<string>();
  private readonly fixed: ReadonlySet<Node>;
  private recomputed = 0;

  constructor(
    private readonly pass: TrainingPass,
    private readonly batch: number,
    private readonly division: Division,
  ) {
    const folded = foldedValues(pass.graph);
    this.fixed = new Set(pass.forward.filter(({ outputs }) => folded.has(outputs[0]!)));
    this.producers = new Map(
      pass.forward.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
    );
  }

  run(): Divided {
    const { graph, forward, backward, finish, outputs } = this.pass;
    const segments = cutForward(graph, forward, this.batch, this.division.segmentBytes);
    segments.forEach((nodes, i) => {
      for (const output of nodes.flatMap((node) => node.outputs)) this.segmentOf.set(output, i);
    });
    this.keepValues();
    const bodies = segments
      .map((nodes) => nodes.toReversed().flatMap((node) => backward.get(node) ?? []))
      .reverse();
    bodies.at(-1)!.push(...finish);
    const used = bodies.filter((body) => body.length);
    const lastRead = new Map(
      used.flatMap((body, i) => body.flatMap(readsOf).map((value) => [value, i] as const)),
    );
    const carried = new Map<string, string>();
    const gates = used.map((body, i) => {
      const made = body.flatMap((node) => node.outputs);
      const wanted = new Map(
        made.filter((value) => lastRead.get(value)! > i).map((value) => [`${value}/out`, value]),
      );
      for (const [name, value] of outputs) if (made.includes(value)) wanted.set(name, value);
      return this.gateOf(body, wanted, carried);
    });
    return { nodes: [...forward, ...gates], segments: gates.length, recomputed: this.recomputed };
  }

  /**
   * Values that cross a cut, products dear to repeat, and the graph's outputs, which exist to the end in any case: the
   * first `If` reads the prediction, so that it waits for the forward pass.
   */
  private keepValues(): void {
    const { graph, forward } = this.pass;
    for (const output of graph.outputs) this.kept.add(output);
    for (const node of forward) {
      for (const input of node.inputs)
        if (this.segmentOf.has(input) && this.segmentOf.get(input) !== this.segmentOf.get(node.outputs[0]!))
          this.kept.add(input);
      const [output] = node.outputs as [string];
      const density = bytesOf(graph.typeOf(output), this.batch) / operationsOf(graph, node, this.batch);
      if (isProduct(node) && density <= this.division.keptDensity) this.kept.add(output);
    }
  }

  /** The `If` of one segment; `carried` has outer names of the gradients that earlier ones yielded. */
  private gateOf(
    body: readonly Node[],
    outputs: ReadonlyMap<string, string>,
    carried: Map<string, string>,
  ): Node {
    const { graph, condition } = this.pass;
    const { nodes: again, names } = this.recompute(body);
    const inner = [...again, ...body].map((node) =>
      renameInputs(node, (name) => names.get(name) ?? carried.get(name)),
    );
    for (const [name, value] of outputs) carried.set(value, name);
    return conditional({ graph, condition }, inner, outputs);
  }

  /** Copies of the forward nodes that `body` needs and that were not kept, and the copies' names. */
  private recompute(body: readonly Node[]): { nodes: Node[]; names: Map<string, string> } {
    const { graph, forward } = this.pass;
    const needed = new Set<Node>();
    const visit = (value: string): void => {
      const node = this.producers.get(value);
      if (!node || this.kept.has(value) || needed.has(node) || this.fixed.has(node)) return;
      needed.add(node);
      node.inputs.forEach(visit);
    };
    body.flatMap(readsOf).forEach(visit);
    const names = new Map<string, string>();
    const nodes = forward
      .filter((node) => needed.has(node))
      .map((node) => {
        this.recomputed += operationsOf(graph, node, this.batch);
        const outputs = node.outputs.map((output) => (output ? graph.fresh(`again/${output}`) : output));
        node.outputs.forEach((output, i) => {
          names.set(output, outputs[i]!);
          if (output) graph.types.set(outputs[i]!, graph.typeOf(output));
        });
        return { ...node, name: `${node.name}/${outputs[0]!}`, outputs };
      });
    return { nodes, names };
  }
}

function renameInputs(node: Node, renamed: (name: string) => string | undefined): Node {
  return { ...node, inputs: node.inputs.map((input) => renamed(input) ?? input) };
}

/** Consecutive runs of nodes of about `bytes` of values each, cut where the fewest bytes are still to be read. */
function cutForward(graph: Graph, forward: readonly Node[], batch: number, bytes: number): Node[][] {
  const own = forward.map((node) =>
    node.outputs.reduce((sum, output) => sum + bytesOf(graph.typeOf(output), batch), 0),
  );
  const crossing = crossingBytes(graph, forward, batch);
  const segments: Node[][] = [];
  let start = 0;
  while (start < forward.length) {
    let end = start;
    for (let sum = 0; end < forward.length && sum + own[end]! <= bytes; end++) sum += own[end]!;
    end = end === forward.length ? end : narrowest(crossing, start, end);
    segments.push(forward.slice(start, end));
    start = end;
  }
  return segments;
}

/** The end of a segment from `start` to at most `limit` whose cut crosses the fewest bytes, in its last two thirds. */
function narrowest(crossing: readonly number[], start: number, limit: number): number {
  const first = start + Math.max(1, Math.ceil((limit - start) / 3));
  let best = Math.max(limit, first);
  for (let end = best; end >= first; end--) if (crossing[end - 1]! < crossing[best - 1]!) best = end;
  return best;
}

/** After each node, bytes of the values made so far that later nodes read. */
function crossingBytes(graph: Graph, forward: readonly Node[], batch: number): number[] {
  const lastRead = new Map<string, number>();
  forward.forEach((node, i) => {
    for (const input of node.inputs) lastRead.set(input, i);
  });
  const change = new Array<number>(forward.length + 1).fill(0);
  forward.forEach((node, i) => {
    for (const output of node.outputs) {
      const size = bytesOf(graph.typeOf(output), batch);
      const end = lastRead.get(output) ?? i;
      change[i] = change[i]! + size;
      change[end] = change[end]! - size;
    }
  });
  let sum = 0;
  return change.slice(0, -1).map((difference) => (sum += difference));
}
