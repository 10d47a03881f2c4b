/**
 * Where the words look (DAAM, Tang et al. 2023): behind the input `attention_maps`, each cross-attention layer's probabilities
 * averaged over its heads. Each Softmax has an `If` of its own right behind it, so that nothing is held longer, and
 * nothing is computed, while the maps are not asked for.
 */
import { conditional, type Gate } from '../branch.ts';
import { Builder } from '../builder.ts';
import { BATCH, isBatch } from '../dims.ts';
import { int, type Graph, type Node } from '../graph.ts';
import { insertAfter } from './edit.ts';

/**
 * Adds, in place, `attention_i` [B, Q, T] for each layer; returns these outputs' names.
 * @param layers what each layer's Softmax gives, [B, heads, Q, T] or, of older attention code, [B·heads, Q, T]; of attention in blocks
 * of queries one a block
 */
export function addAttentionMaps(graph: Graph, layers: readonly (readonly string[])[]): string[] {
  const gate = { graph, condition: graph.addInput('attention_maps', { type: 'bool', dims: [] }) };
  return layers.map((blocks, layer) => {
    const output = `attention_${layer}`;
    const means = blocks.map((softmax, block) => {
      const name = blocks.length === 1 ? output : `${output}/${block}`;
      return gated(gate, softmax, name, (at) => meanOverHeads(at, softmax));
    });
    const join = (at: Builder) => at.op('Concat', means, { axis: int(1) });
    return means.length === 1 ? output : gated(gate, means.at(-1)!, output, join);
  });
}

/** Puts what `emit` adds behind the gate, right after the node that makes `value`. */
function gated(gate: Gate, value: string, output: string, emit: (at: Builder) => string): string {
  const nodes: Node[] = [];
  const made = emit(new Builder(gate.graph, nodes, 'maps/'));
  insertAfter(gate.graph, value, [conditional(gate, nodes, new Map([[output, made]]))]);
  return output;
}

function meanOverHeads(at: Builder, softmax: string): string {
  const dims = at.dims(softmax);
  const [folded, ...picture] = dims;
  const apart =
    dims.length === 3 && folded && isBatch(folded)
      ? at.reshape(softmax, [BATCH, folded.batch, ...picture])
      : softmax;
  return at.reduceMean(apart, [1], false);
}
