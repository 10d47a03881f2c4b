/** Walking a graph along values that keep their meaning: reshaped, cast, scaled or masked, but not mixed. */
import type { Graph, Node } from '../graph.ts';
import { operatorOf } from '../operators/table.ts';

const carries = ({ op }: Node) => operatorOf(op)?.carries === true;

export class Tracer {
  private readonly producers: Map<string, Node>;
  private readonly consumers: Map<string, Node[]>;

  constructor(readonly graph: Graph) {
    this.producers = graph.producers();
    this.consumers = graph.consumers();
  }

  producer(value: string): Node | undefined {
    return this.producers.get(value);
  }

  readers(value: string): readonly Node[] {
    return this.consumers.get(value) ?? [];
  }

  /** The first nodes downstream of `value` for which `stop` holds, with the value through which each is reached. */
  downstream(value: string, stop: (node: Node) => boolean): { node: Node; via: string }[] {
    return this.readers(value).flatMap((node) => {
      if (stop(node)) return [{ node, via: value }];
      if (!carries(node)) return [];
      return node.outputs.flatMap((output) => this.downstream(output, stop));
    });
  }

  /** The first node upstream of `value` for which `stop` holds. */
  upstream(value: string, stop: (node: Node) => boolean): Node | undefined {
    const node = this.producer(value);
    if (!node || stop(node)) return node;
    if (!carries(node)) return undefined;
    for (const input of node.inputs) {
      const found = this.upstream(input, stop);
      if (found) return found;
    }
    return undefined;
  }
}
