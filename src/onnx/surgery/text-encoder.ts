/**
 * The training graph of a CLIP text encoder (NeTI, section 4.2): the token embeddings of the placeholder, one token or several,
 * become an input, the bypass moves the placeholder's last hidden state before the final LayerNorm,
 * h′ = h + scale·(v/‖v‖)·‖h‖, and the graph yields the plain (key) and the moved (value) context. Behind a gate,
 * the gradients towards both inputs.
 */
import { AppError } from '../../lib/errors.ts';
import { Builder } from '../builder.ts';
import { gate } from '../branch.ts';
import { BATCH, fixedDim, type Dim } from '../dims.ts';
import type { Graph, Node } from '../graph.ts';
import { differentiate } from '../grad/reverse.ts';
import { removeDeadCode } from '../dead-code.ts';
import { insertAfter, rename, requireInput, rewire } from './edit.ts';
import { Tracer } from './trace.ts';

export interface TextShape {
  readonly tokens: number;
  readonly contextWidth: number;
}

/** Looked-up embeddings [N,T,D] before the concept takes its place: the mapper's norm is that of its category's word. */
const TOKEN_EMBEDDINGS = 'token_embeddings';

/** A concept's word vectors V: compiled as one and declared free, since no node depends on their number. */
const VECTORS = 1;

/** Turns a specialized stock text encoder into its training graph, in place. */
export function operateOnTextEncoder(graph: Graph): TextShape {
  const [, tokens] = requireInput(graph.inputs, 'input_ids').dims;
  rename(graph, findTokenEmbedding(graph), TOKEN_EMBEDDINGS);
  const norm = findFinalNorm(graph);
  const width = graph.typeOf(TOKEN_EMBEDDINGS).dims.at(-1)!;
  addInputs(graph, tokens!, width);
  replacePlaceholder(graph, TOKEN_EMBEDDINGS);
  addContexts(graph, norm);
  graph.outputs.splice(0, Infinity, 'key_contexts', 'value_contexts');
  removeDeadCode(graph);
  addGradients(graph, [BATCH, tokens!, width]);
  graph.outputs.push('grad_concept_embedding', 'grad_concept_bypass', TOKEN_EMBEDDINGS);
  removeDeadCode(graph);
  return { tokens: fixedDim(tokens, 'input_ids'), contextWidth: fixedDim(width, 'the embedding') };
}

/** The Gather of a weight by `input_ids`. */
function findTokenEmbedding(graph: Graph): string {
  const isLookUp = (node: Node) => node.op === 'Gather' && graph.constants.has(node.inputs[0]!);
  const [found] = new Tracer(graph).downstream('input_ids', isLookUp);
  if (found) return found.node.outputs[0]!;
  throw new AppError(
    'onnx/text-encoder',
    'expected a token embedding (Gather of a weight by input_ids), found none',
  );
}

/** The LayerNormalization that makes the first output. */
function findFinalNorm(graph: Graph): Node {
  const isNorm = (node: Node) => node.op === 'LayerNormalization';
  const norm = new Tracer(graph).upstream(graph.outputs[0]!, isNorm);
  if (norm && isNorm(norm)) return norm;
  throw new AppError(
    'onnx/text-encoder',
    'expected a final LayerNormalization before the first output, found none',
  );
}

function addInputs(graph: Graph, tokens: Dim, width: Dim): void {
  graph.addInput('placeholder_mask', { type: 'float32', dims: [BATCH, tokens, VECTORS] });
  graph.addInput('concept_embedding', { type: 'float32', dims: [BATCH, VECTORS, width] });
  graph.addInput('concept_bypass', { type: 'float32', dims: [BATCH, width] });
  graph.addInput('bypass_scale', { type: 'float32', dims: [] });
}

/** The inputs' dimensions for the file. */
export function conceptInputs({ tokens, contextWidth }: TextShape): Map<string, (Dim | string)[]> {
  return new Map([
    ['placeholder_mask', [BATCH, tokens, 'vectors']],
    ['concept_embedding', [BATCH, 'vectors', contextWidth]],
  ]);
}

/** Embedding·(1 − Σᵥ mask) + mask·concept: [N,T,V]·[N,V,D]. */
function replacePlaceholder(graph: Graph, embedding: string): void {
  const nodes: Node[] = [];
  const at = new Builder(graph, nodes, 'placeholder/');
  const kept = at.op('Mul', [embedding, at.op('Sub', [at.scalar(1), isPlaceholder(at)])]);
  const result = at.op('Add', [kept, at.op('MatMul', ['placeholder_mask', 'concept_embedding'])]);
  rewire(graph, embedding, result);
  insertAfter(graph, embedding, nodes);
}

/** [N,T,1]: 1 where any of the concept's vectors stands. */
function isPlaceholder(at: Builder): string {
  return at.reduceSum('placeholder_mask', [2]);
}

/** The final LayerNorm of the plain and of the moved hidden state. */
function addContexts(graph: Graph, norm: Node): void {
  const at = new Builder(graph, graph.nodes, 'bypass/');
  const [hidden, ...parameters] = norm.inputs as [string, ...string[]];
  const direction = at.op('Unsqueeze', [unit(at, 'concept_bypass'), at.integers([1])]);
  const reach = at.op('Mul', [
    at.op('Mul', [isPlaceholder(at), 'bypass_scale']),
    at.op('Sqrt', [sumOfSquares(at, hidden)]),
  ]);
  const moved = at.op('Add', [hidden, at.op('Mul', [reach, direction])]);
  at.named('key_contexts', 'LayerNormalization', [hidden, ...parameters], norm.attributes);
  at.named('value_contexts', 'LayerNormalization', [moved, ...parameters], norm.attributes);
}

/** v/‖v‖; a zero v stays zero, as does its gradient. */
function unit(at: Builder, value: string): string {
  const squares = sumOfSquares(at, value);
  const positive = at.op('Greater', [squares, at.scalar(0)]);
  const length = at.op('Sqrt', [at.op('Where', [positive, squares, at.scalar(1)])]);
  return at.op('Mul', [value, at.op('Where', [positive, at.op('Reciprocal', [length]), at.scalar(0)])]);
}

/** Along the last axis, kept as 1. */
function sumOfSquares(at: Builder, value: string): string {
  return at.reduceSum(at.op('Mul', [value, value]), [at.dims(value).length - 1]);
}

function addGradients(graph: Graph, dims: readonly Dim[]): void {
  for (const name of ['grad_key_contexts', 'grad_value_contexts'])
    graph.addInput(name, { type: 'float32', dims });
  graph.addInput('compute_gradients', { type: 'bool', dims: [] });
  const forward = [...graph.nodes];
  const weights = new Builder(graph, graph.nodes, 'weights/');
  const seeds = new Map([
    ['key_contexts', 'grad_key_contexts'],
    ['value_contexts', 'grad_value_contexts'],
  ]);
  const wanted = ['concept_embedding', 'concept_bypass'];
  gate({ graph, condition: 'compute_gradients' }, (at) => {
    const [embedding, bypass] = differentiate({ forward, at, weights, seeds, wanted });
    return new Map([
      ['grad_concept_embedding', embedding!],
      ['grad_concept_bypass', bypass!],
    ]);
  });
}
