/** Looking at a graph from a node upwards: producers, scalar constants, commutative operands. */
import type { Graph, Node } from '../graph.ts';
import { KnownValues } from '../infer.ts';

/** A replacement for a node that ends a pattern, or undefined. */
export type Pattern = (matcher: Matcher, node: Node) => Node | undefined;

export class Matcher {
  private readonly producers: Map<string, Node>;
  private readonly known: KnownValues;

  constructor(readonly graph: Graph) {
    this.producers = graph.producers();
    this.known = new KnownValues(graph);
  }

  /** The node that makes `value`, if it is one of these operators. */
  made(value: string | undefined, ...ops: string[]): Node | undefined {
    const node = value ? this.producers.get(value) : undefined;
    return node && ops.includes(node.op) ? node : undefined;
  }

  /** The number in a constant of one element. */
  number(value: string | undefined): number | undefined {
    const constant = value ? this.graph.constants.get(value) : undefined;
    if (!value || constant?.content.kind !== 'inline') return undefined;
    const values = this.known.get(value)?.values;
    const [first] = values ?? [];
    return values?.length === 1 && typeof first === 'number' ? first : undefined;
  }

  /** The two operands of a commutative node, in the order in which the first satisfies `first`. */
  operands(node: Node, first: (value: string) => boolean): [string, string] | undefined {
    const [a, b] = node.inputs as [string, string];
    if (first(a)) return [a, b];
    return first(b) ? [b, a] : undefined;
  }

  /** `x` of x·factor or x/divisor by a constant, with the factor. */
  scaled(value: string): { x: string; factor: number } | undefined {
    const node = this.made(value, 'Mul', 'Div');
    if (!node) return undefined;
    const divisor = node.op === 'Div' ? this.number(node.inputs[1]) : undefined;
    if (node.op === 'Div') return divisor ? { x: node.inputs[0]!, factor: 1 / divisor } : undefined;
    const pair = this.operands(node, (input) => this.number(input) !== undefined);
    return pair && { x: pair[1], factor: this.number(pair[0])! };
  }
}

/** Equal up to the rounding of half precision, in which exporters may have written a constant. */
export function nearly(value: number | undefined, expected: number): boolean {
  return value !== undefined && Math.abs(value - expected) <= 1e-3 * Math.abs(expected);
}
