/**
 * The training graph of a CLIP text encoder (NeTI, section 4.2): the token embeddings of the placeholder, one token or several,
 * become an input, the bypass moves the placeholder's last hidden state before the final LayerNorm,
 * h′ = h + scale·(v/‖v‖)·‖h‖, and the graph yields the plain (key) and the moved (value) context. Two runs make a training
 * step, each behind a gate of its own: the first computes the contexts and hands out the activations that the second, which
 * is given them back, needs for the gradients towards both inputs.
 */
import { AppError } from '../../lib/errors.ts';
import { Builder } from '../builder.ts';
import { conditional } from '../branch.ts';
import { BATCH, fixedDim, type Dim } from '../dims.ts';
import { mapBranches, type Graph, type Node } from '../graph.ts';
import { readsOf, removeDeadCode } from '../deadCode.ts';
import { DEFAULT_OPTIONS, type CompileOptions } from '../options.ts';
import { chooseDivision } from '../plan/choose.ts';
import { bytesOf } from '../plan/cost.ts';
import type { TrainingPass } from '../plan/segments.ts';
import { insertAfter, rename, requireInput, rewire } from './edit.ts';
import { Tracer } from './trace.ts';
import { addTrainingPass, wholeGate } from './trainingPass.ts';

export interface TextShape {
  readonly tokens: number;
  readonly contextWidth: number;
  /** Number of activations that the first run of a training step hands on to the second. */
  readonly handedOn: number;
  /** What they take for each prompt row. */
  readonly bytesARow: number;
}

/** Looked-up embeddings [N,T,D] before the concept takes its place: the mapper's norm is that of its category's word. */
const TOKEN_EMBEDDINGS = 'token_embeddings';

/** The contexts and the values behind the gate that they carry: the final LayerNorm of the plain and the moved hidden state. */
const HIDDEN = new Map([
  ['key_contexts', 'contexts/plain'],
  ['value_contexts', 'contexts/moved'],
]);

/** Inputs towards which there are gradients. */
const CONCEPT = ['concept_embedding', 'concept_bypass'];

/** A concept's word vectors V: compiled as one and declared free, since no node depends on their number. */
const VECTORS = 1;

/** Turns a specialized stock text encoder into its training graph, in place. */
export function operateOnTextEncoder(graph: Graph, options: CompileOptions = DEFAULT_OPTIONS): TextShape {
  const [, tokens] = requireInput(graph.inputs, 'input_ids').dims;
  rename(graph, findTokenEmbedding(graph), TOKEN_EMBEDDINGS);
  const norm = findFinalNorm(graph);
  const width = graph.typeOf(TOKEN_EMBEDDINGS).dims.at(-1)!;
  addInputs(graph, tokens!, width);
  replacePlaceholder(graph, TOKEN_EMBEDDINGS);
  addContexts(graph, norm);
  graph.outputs.splice(0, Infinity, ...HIDDEN.values(), TOKEN_EMBEDDINGS);
  removeDeadCode(graph);
  const pass = differentiateContexts(graph, [BATCH, tokens!, width], options);
  const gates = options.activationBudget === undefined ? [wholeGate(pass)] : gatesWithin(pass, options);
  const kept = separateRuns(pass, gates);
  graph.outputs.splice(0, Infinity, ...HIDDEN.keys(), ...pass.outputs.keys(), TOKEN_EMBEDDINGS, ...kept);
  removeDeadCode(graph);
  return {
    tokens: fixedDim(tokens, 'input_ids'),
    contextWidth: fixedDim(width, 'the embedding'),
    handedOn: kept.length,
    bytesARow: kept.reduce((sum, name) => sum + bytesOf(graph.typeOf(name), 1), 0),
  };
}

/** The Gather of a weight by `input_ids`. */
function findTokenEmbedding(graph: Graph): string {
  const isLookUp = (node: Node) => node.op === 'Gather' && graph.constants.has(node.inputs[0]!);
  const [found] = new Tracer(graph).downstream('input_ids', isLookUp);
  if (found) return found.node.outputs[0]!;
  throw new AppError(
    'onnx.textEncoder',
    'expected a token embedding (Gather of a weight by input_ids), found none',
  );
}

/** The LayerNormalization that makes the first output. */
function findFinalNorm(graph: Graph): Node {
  const isNorm = (node: Node) => node.op === 'LayerNormalization';
  const norm = new Tracer(graph).upstream(graph.outputs[0]!, isNorm);
  if (norm && isNorm(norm)) return norm;
  throw new AppError(
    'onnx.textEncoder',
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
  const [plain, bypassed] = [...HIDDEN.values()] as [string, string];
  at.named(plain, 'LayerNormalization', [hidden, ...parameters], norm.attributes);
  at.named(bypassed, 'LayerNormalization', [moved, ...parameters], norm.attributes);
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

function differentiateContexts(
  graph: Graph,
  dims: readonly Dim[],
  { activationBudget }: CompileOptions,
): TrainingPass {
  const seeds = [...HIDDEN].map(
    ([name, value]) => [value, graph.addInput(`grad_${name}`, { type: 'float32', dims })] as const,
  );
  return addTrainingPass({
    graph,
    wanted: CONCEPT,
    lean: activationBudget !== undefined,
    seeds: () => new Map(seeds),
    outputs: (_, gradients) => new Map(CONCEPT.map((name, i) => [`grad_${name}`, gradients[i]!])),
  });
}

/** The backward pass in segments that fit the budget. */
function gatesWithin(pass: TrainingPass, options: CompileOptions): Node[] {
  const { divided } = chooseDivision(pass, options);
  return divided.nodes.filter((node) => !pass.forward.includes(node));
}

/**
 * Puts the forward pass behind `compute_contexts`, and what the backward pass reads of it through a pair of an output
 * `kept_i` and an input `given_i` each. Returns the outputs.
 */
function separateRuns({ graph, forward }: TrainingPass, gates: readonly Node[]): string[] {
  const condition = graph.addInput('compute_contexts', { type: 'bool', dims: [] });
  const inner = afterEmbeddings(forward);
  const made = new Set(inner.flatMap((node) => node.outputs));
  const crossing = [...new Set(gates.flatMap(readsOf))].filter((value) => made.has(value));
  const given = new Map(
    crossing.map((value, i) => [value, graph.addInput(`given_${i}`, graph.typeOf(value))] as const),
  );
  const kept = new Map(crossing.map((value, i) => [`kept_${i}`, value] as const));
  const contexts = conditional({ graph, condition }, inner, new Map([...HIDDEN, ...kept]));
  graph.nodes = [
    ...forward.filter((node) => !inner.includes(node)),
    contexts,
    ...gates.map((gate) => readInstead(gate, given)),
  ];
  return [...kept.keys()];
}

/** The nodes that read the embeddings, at first or second hand; what they do not is little, and both runs compute it. */
function afterEmbeddings(forward: readonly Node[]): Node[] {
  const reached = new Set([TOKEN_EMBEDDINGS]);
  return forward.filter(({ inputs, outputs }) => {
    const reads = inputs.some((input) => reached.has(input));
    if (reads) for (const output of outputs) reached.add(output);
    return reads;
  });
}

/** The node, and those of its branches, reading other values. */
function readInstead(node: Node, names: ReadonlyMap<string, string>): Node {
  const renamed = (value: string) => names.get(value) ?? value;
  const inputs = node.inputs.map(renamed);
  return mapBranches({ ...node, inputs }, ({ nodes, outputs }) => ({
    nodes: nodes.map((inner) => readInstead(inner, names)),
    outputs: outputs.map(renamed),
  }));
}
