/**
 * Operators that stand for several: those onnxruntime's optimizer writes (domain com.microsoft) and those of later
 * standard operator sets. Each is spelled out exactly in simple operators, for which there are derivatives.
 */
import { AppError } from '../../lib/errors.ts';
import { Builder } from '../builder.ts';
import { describe, type Graph, type Node } from '../graph.ts';
import { attentionRules } from './attention.ts';
import { fusedRules } from './fused.ts';
import { normalizationRules } from './normalization.ts';
import { INSTEAD, type CompoundRule } from './rule.ts';

const compoundRules: Readonly<Record<string, CompoundRule>> = {
  ...attentionRules,
  ...fusedRules,
  ...normalizationRules,
};

/** The node in simple operators. Throws AppError `onnx.compound` for what has no exact form in them. */
export function spellOut(graph: Graph, node: Node): Node[] {
  const rule = Object.hasOwn(compoundRules, node.op) ? compoundRules[node.op] : undefined;
  if (rule) {
    const nodes: Node[] = [];
    rule(new Builder(graph, nodes, `${node.name}/`), node);
    return nodes;
  }
  if (!node.op.includes('.')) return [node];
  const message = `expected an operator with a standard form, found ${describe(node)}; ${INSTEAD}`;
  throw new AppError('onnx.compound', message);
}
