/**
 * Work behind a switch: an `If` whose then-branch reads values and weights of the enclosing graph, so that the
 * graph samples and trains with one copy of its weights. The else-branch yields one zero per output. Each segment
 * of a backward pass can have its own `If`; its outputs feed the next segment.
 */
import { Builder } from './builder.ts';
import { int, type Graph, type Node } from './graph.ts';
import { elementCode } from './write.ts';

export interface Gate {
  readonly graph: Graph;
  /** Name of the boolean scalar. */
  readonly condition: string;
}

/** Output names and the values of the then-branch that they carry. */
export type GatedOutputs = ReadonlyMap<string, string>;

/** Runs `emit` into the then-branch and appends the `If` to the graph. */
export function gate({ graph, condition }: Gate, emit: (at: Builder) => GatedOutputs): void {
  const nodes: Node[] = [];
  const outputs = emit(new Builder(graph, nodes, 'backward/'));
  graph.nodes.push(conditional({ graph, condition }, nodes, outputs));
}

/** An `If` with `nodes` as its then-branch. */
export function conditional({ graph, condition }: Gate, nodes: readonly Node[], outputs: GatedOutputs): Node {
  const skipped: Node[] = [];
  const otherwise = new Builder(graph, skipped, 'skipped/');
  const zeros = [...outputs.values()].map((value) => {
    const { type, dims } = graph.typeOf(value);
    const zero = otherwise.constant(
      'float32',
      dims.map(() => 1),
      [0],
    );
    return type === 'float32'
      ? otherwise.op('Identity', [zero])
      : otherwise.op('Cast', [zero], { to: int(elementCode(type)) });
  });
  for (const [name, value] of outputs) graph.types.set(name, graph.typeOf(value));
  return {
    op: 'If',
    name: graph.fresh('If'),
    inputs: [condition],
    outputs: [...outputs.keys()],
    attributes: {
      then_branch: { kind: 'graph', value: { nodes, outputs: [...outputs.values()] } },
      else_branch: { kind: 'graph', value: { nodes: skipped, outputs: zeros } },
    },
  };
}
