/**
 * The training graph of a U-Net (NeTI, section 4): each cross-attention layer reads its own key context and value
 * context; the loss is each picture's mean squared error to a target; behind a gate, the gradients of the weighted
 * sum of losses towards every context; behind another, where each layer looks.
 */
import { sizeOf } from '../../lib/numbers.ts';
import { Builder } from '../builder.ts';
import { BATCH, fixedDim, fixedDims, isBatch, type Dim } from '../dims.ts';
import { int, type Graph, type Node } from '../graph.ts';
import { removeDeadCode } from '../deadCode.ts';
import { findCrossAttention, type CrossAttention, type Projection } from './crossAttention.ts';
import { addAttentionMaps } from './attentionMaps.ts';
import { rename, requireInput, rewire } from './edit.ts';
import { DEFAULT_OPTIONS, type CompileOptions } from '../options.ts';
import { chooseDivision, type MemoryPlan } from '../plan/choose.ts';
import type { TrainingPass } from '../plan/segments.ts';
import { elementCode } from '../write.ts';
import { addTrainingPass, wholeGate } from './trainingPass.ts';

export interface UnetShape {
  /** Number of cross-attention layers. */
  readonly layers: number;
  /** Height × width of each layer's feature map, in execution order. */
  readonly positions: readonly number[];
  readonly tokens: number;
  readonly contextWidth: number;
  /** Channels, height, width. */
  readonly latent: readonly [number, number, number];
}

export interface UnetSurgery {
  readonly shape: UnetShape;
  /** Present when there was a budget. */
  readonly plan: MemoryPlan | undefined;
}

/** One context of each layer, as values [batch, tokens, width] cut from the stacked input. */
interface Contexts {
  readonly keys: readonly string[];
  readonly values: readonly string[];
}

const CONTEXT = 'encoder_hidden_states';

/** Turns a specialized stock U-Net into its training graph, in place. */
export function operateOnUnet(graph: Graph, options: CompileOptions = DEFAULT_OPTIONS): UnetSurgery {
  const [, tokens, contextWidth] = requireInput(graph.inputs, CONTEXT).dims;
  const layers = findCrossAttention(graph, CONTEXT);
  const stacked: Dim[] = [layers.length, BATCH, tokens!, contextWidth!];
  const contexts = replaceContexts(graph, layers, stacked);
  // What only led the one context to the projections reads an input that is gone.
  removeDeadCode(graph);
  rename(graph, graph.outputs[0]!, 'out_sample');
  const pass = differentiateLoss(graph, contexts, options);
  graph.outputs.splice(0, Infinity, 'out_sample', 'losses', ...pass.outputs.keys());
  const plan = gateBackward(pass, options);
  const probabilities = layers.map((layer) => layer.probabilities);
  graph.outputs.push(...addAttentionMaps(graph, probabilities));
  removeDeadCode(graph);
  const positions = layers.map((layer) => layer.positions);
  return { shape: { layers: layers.length, positions, ...sizes(graph, tokens, contextWidth) }, plan };
}

/** Adds the loss and its backward pass. */
function differentiateLoss(
  graph: Graph,
  contexts: Contexts,
  { precision, activationBudget }: CompileOptions,
): TrainingPass {
  const seed = addLoss(graph);
  return addTrainingPass({
    graph,
    wanted: [...contexts.keys, ...contexts.values],
    lean: activationBudget !== undefined,
    seeds: (at) => new Map([['out_sample', seed(at)]]),
    outputs: (at, gradients) => stackGradients(at, gradients, precision === 'float16'),
  });
}

/** Both stacks [L,B,T,D]; in half precision also the sum of their squares, by which an overflow shows. */
function stackGradients(at: Builder, gradients: readonly string[], isHalf: boolean): Map<string, string> {
  const half = gradients.length / 2;
  const keys = stack(at, gradients.slice(0, half));
  const values = stack(at, gradients.slice(half));
  const outputs = new Map([
    ['grad_key_contexts', keys],
    ['grad_value_contexts', values],
  ]);
  return isHalf ? outputs.set('grad_squares', sumOfSquares(at, keys, values)) : outputs;
}

function sumOfSquares(at: Builder, keys: string, values: string): string {
  const [a, b] = [keys, values].map((stacked) => {
    const wide = at.op('Cast', [stacked], { to: int(elementCode('float32')) });
    return at.reduceSum(at.op('Mul', [wide, wide]), [0, 1, 2, 3], false);
  });
  return at.op('Add', [a!, b!]);
}

/** Puts the backward pass behind one `If`, or in segments that fit the budget, which it then tells how. */
function gateBackward(pass: TrainingPass, options: CompileOptions): MemoryPlan | undefined {
  const { graph } = pass;
  if (options.activationBudget === undefined) {
    graph.nodes.push(wholeGate(pass));
    return undefined;
  }
  const { divided, plan } = chooseDivision(pass, options);
  graph.nodes = [...divided.nodes];
  return plan;
}

function sizes(graph: Graph, tokens: Dim | undefined, contextWidth: Dim | undefined) {
  const [channels, height, width] = fixedDims(
    requireInput(graph.inputs, 'sample').dims.slice(1),
    'the latent',
  );
  return {
    tokens: fixedDim(tokens, 'the context'),
    contextWidth: fixedDim(contextWidth, 'the context'),
    latent: [channels!, height!, width!] as const,
  };
}

function replaceContexts(graph: Graph, layers: readonly CrossAttention[], stacked: readonly Dim[]): Contexts {
  const nodes: Node[] = [];
  const at = new Builder(graph, nodes, 'contexts/');
  const add = (name: string, projections: Projection[]) => {
    graph.addInput(name, { type: 'float32', dims: stacked });
    return projections.map((projection, layer) => replaceContext(at, projection, name, layer));
  };
  const keys = add(
    'key_contexts',
    layers.map((layer) => layer.key),
  );
  const values = add(
    'value_contexts',
    layers.map((layer) => layer.value),
  );
  graph.nodes.unshift(...nodes);
  graph.inputs.delete(CONTEXT);
  return { keys, values };
}

/** Feeds a projection from its layer of the stacked input; returns that layer's context. */
function replaceContext(at: Builder, { node, context }: Projection, input: string, layer: number): string {
  const own = at.op('Gather', [input, at.constant('int64', [], [layer])], { axis: int(0) });
  const shaped = at.reshape(own, at.dims(context));
  rewire(at.graph, context, shaped, (reader) => reader.outputs[0] === node.outputs[0]);
  return own;
}

/** Adds `losses`; returns what computes the gradient of the weighted sum towards `out_sample`. */
function addLoss(graph: Graph): (at: Builder) => string {
  const { dims } = graph.typeOf('out_sample');
  graph.addInput('target', { type: 'float32', dims });
  graph.addInput('loss_weights', { type: 'float32', dims: [BATCH] });
  const at = new Builder(graph, graph.nodes, 'loss/');
  const axes = dims.map((_, i) => i).slice(1);
  const difference = at.op('Sub', ['out_sample', 'target']);
  at.named('losses', 'ReduceMean', [at.op('Mul', [difference, difference]), at.integers(axes)], {
    keepdims: int(0),
  });
  const perPicture = dims.filter((dim) => !isBatch(dim));
  const count = sizeOf(fixedDims(perPicture, 'the latent'));
  return (backward) => {
    const weight = backward.scale(backward.reshape('loss_weights', [BATCH, 1, 1, 1]), 2 / count);
    return backward.op('Mul', [difference, weight]);
  };
}

function stack(at: Builder, gradients: readonly string[]): string {
  const rows = gradients.map((gradient) => at.reshape(gradient, [1, ...at.dims(gradient)]));
  return at.op('Concat', rows, { axis: int(0) });
}
