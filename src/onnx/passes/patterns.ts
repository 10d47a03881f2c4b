/**
 * Recognises what exporters spell out in several nodes and puts one operator in its place: Gelu, x·σ(αx)
 * (QuickGelu), LayerNormalization, Split. One operator has one derivative, which can leave the forward nodes to
 * onnxruntime's own fusions.
 */
import type { Graph } from '../graph.ts';
import { removeDeadCode } from '../deadCode.ts';
import { matchGelu, matchQuickGelu } from './activationPatterns.ts';
import { matchLayerNormalization } from './normalizationPattern.ts';
import { dropNeutral, joinSlices } from './tidy.ts';
import { Matcher, type Pattern } from './matcher.ts';

const patterns: readonly Pattern[] = [matchLayerNormalization, matchGelu, matchQuickGelu];

/** Simplifies in place and returns the graph. */
export function simplify(graph: Graph): Graph {
  dropNeutral(graph);
  joinSlices(graph);
  for (const pattern of patterns) {
    const matcher = new Matcher(graph);
    graph.nodes = graph.nodes.map((node) => pattern(matcher, node) ?? node);
    removeDeadCode(graph);
  }
  return graph;
}
