/**
 * The compiler's entry points: stock models in, prepared ONNX bytes out. Prepared graphs compute in float32
 * (the U-Net's products in half precision where asked for), leave the batch free and refer to the stock file for their weights. No runtime is needed or touched.
 */
import { AppError } from '../lib/errors.ts';
import { sayWhere } from './damaged.ts';
import { BATCH, isBatch, showDims } from './dims.ts';
import { flattenSmallConvolutions } from './passes/smallConvolutions.ts';
import { splitAttention } from './passes/splitAttention.ts';
import { simplify } from './passes/patterns.ts';
import { specialize } from './passes/specialize.ts';
import { lower } from './passes/lower.ts';
import type { Graph, TensorType } from './graph.ts';
import { readModel } from './read.ts';
import type { Stock } from './stock.ts';
import { keepOutput, rename, requireInput, vectorize } from './surgery/edit.ts';
import { conceptInputs, operateOnTextEncoder, type TextShape } from './surgery/textEncoder.ts';
import { DEFAULT_OPTIONS, type CompileOptions } from './options.ts';
import { toHalf } from './precision.ts';
import { operateOnUnet, type UnetShape, type UnetSurgery } from './surgery/unet.ts';
import { writeModel, type DeclaredDims } from './write.ts';

/** Part of `prepared.json`; another version means that graphs must be prepared again. */
export const COMPILER_VERSION = 6;

/** With a budget, one attention's probabilities take at most this part of it. */
const ATTENTION_SHARE = 32;

/** The text encoder's activations, which stay through the U-Net's passes, take at most this part of the budget. */
const TEXT_SHARE = 4;

/** Cross-attention layers of Stable Diffusion 1.x and 2.x; distilled models have fewer. */
const USUAL_LAYERS = 16;

export interface Prepared<Info> {
  readonly bytes: Uint8Array;
  readonly info: Info;
  /** The stock files in which the graph's weights lie. */
  readonly weights: readonly string[];
}

/** Sizes for dimensions that the stock graph leaves open; what it fixes must agree. */
export interface UnetSizes {
  /** Channels, height, width of the latent. */
  readonly latent?: readonly number[] | undefined;
  readonly tokens?: number | undefined;
  readonly contextWidth?: number | undefined;
}

/**
 * U-Net for training and sampling. Inputs sample, target [B,C,H,W], timestep [B], key_contexts, value_contexts
 * [L,B,T,D], loss_weights [B], compute_gradients [], attention_maps []; outputs out_sample, losses [B], grad_key_contexts,
 * grad_value_contexts [L,B,T,D] (a single zero unless compute_gradients), in half precision also grad_squares [], not finite
 * where a gradient overflowed, and for each layer attention_i [B,Q,T] (a single zero unless attention_maps): how much each
 * of its Q places attends to each token, the mean over the heads.
 * Throws AppError `onnx.…` naming the node when the model is not of Stable Diffusion's form.
 */
export function prepareUnet(
  stock: Stock,
  sizes: UnetSizes = {},
  options: CompileOptions = DEFAULT_OPTIONS,
): Prepared<UnetShape> {
  const { graph, shape } = compileUnet(stock, sizes, options);
  return sayWhere(stock.path, () => ({
    ...finish(graph, { batchIsNamed: options.activationBudget === undefined }),
    info: shape,
  }));
}

/** The training graph before it is written; with a budget, how it keeps to it. */
export function compileUnet(
  stock: Stock,
  sizes: UnetSizes,
  options: CompileOptions,
): UnetSurgery & { readonly graph: Graph } {
  return sayWhere(stock.path, () => transformUnet(stock, sizes, options));
}

function transformUnet(
  stock: Stock,
  sizes: UnetSizes,
  options: CompileOptions,
): UnetSurgery & { readonly graph: Graph } {
  const model = readModel(stock);
  requireOnly(model, ['sample', 'timestep', 'encoder_hidden_states'], stock.path);
  keepOutput(model, 'out_sample');
  vectorize(model, 'timestep');
  const graph = standardForm(model, {
    sample: fix(model, 'sample', sizes.latent ?? []),
    timestep: { type: requireInput(model.inputs, 'timestep').type, dims: [BATCH] },
    encoder_hidden_states: fix(model, 'encoder_hidden_states', [sizes.tokens, sizes.contextWidth]),
  });
  flattenSmallConvolutions(graph);
  const { activationBudget, batch = 1, precision } = options;
  if (activationBudget !== undefined) splitAttention(graph, batch, activationBudget / ATTENTION_SHARE);
  const surgery = operateOnUnet(graph, options);
  if (precision === 'float16') toHalf(graph);
  return { ...surgery, graph };
}

/**
 * Text encoder with a concept of V word vectors, for two runs. With compute_contexts: inputs input_ids [N,T], placeholder_mask
 * [N,T,V] (one-hot where each vector stands), concept_embedding [N,V,D], concept_bypass [N,D], bypass_scale []; outputs
 * key_contexts, value_contexts [N,T,D] and the activations kept_i. With compute_gradients: the same inputs, grad_key_contexts,
 * grad_value_contexts [N,T,D] and each kept_i as given_i; outputs grad_concept_embedding [N,V,D], grad_concept_bypass [N,D]. The outputs of a run
 * not asked for are a single zero each, and its inputs are not read, so that one row of any numbers serves. Always: token_embeddings
 * [N,T,D] as looked up. A row with an all-zero mask has no concept, one with a zero bypass none of it (and the gradient zero).
 */
export function prepareTextEncoder(
  stock: Stock,
  sizes: { readonly tokens?: number | undefined } = {},
  options: CompileOptions = DEFAULT_OPTIONS,
): Prepared<TextShape> {
  return sayWhere(stock.path, () => {
    const { graph, shape } = compileTextEncoder(stock, sizes, options);
    return { ...finish(graph, { declared: conceptInputs(shape) }), info: shape };
  });
}

/** The text encoder's graph before it is written. */
export function compileTextEncoder(
  stock: Stock,
  sizes: { readonly tokens?: number | undefined },
  options: CompileOptions,
): { readonly graph: Graph; readonly shape: TextShape } {
  const model = readModel(stock);
  requireOnly(model, ['input_ids'], stock.path);
  keepOutput(model, 'last_hidden_state');
  const graph = standardForm(model, { input_ids: fix(model, 'input_ids', [sizes.tokens]) });
  return { graph, shape: operateOnTextEncoder(graph, textOptions(options)) };
}

/** Of the activations' budget, the text encoder's share, for the rows of a pass: one a picture and cross-attention layer. */
function textOptions({ activationBudget, batch = 1 }: CompileOptions): CompileOptions {
  const rows = { precision: 'float32', batch: batch * USUAL_LAYERS } as const;
  return activationBudget === undefined ? rows : { ...rows, activationBudget: activationBudget / TEXT_SHARE };
}

/** Sizes of each input's dimensions after the batch. */
export type InputSizes = Readonly<Record<string, readonly (number | undefined)[]>>;

/** The stock graph in float32 with external weights, same inputs and outputs (VAE; benchmarks). */
export function prepareUnchanged(
  stock: Stock,
  sizes: InputSizes,
): Prepared<{ readonly outputs: readonly string[] }> {
  return sayWhere(stock.path, () => standardGraph(stock, sizes));
}

function standardGraph(stock: Stock, sizes: InputSizes): Prepared<{ readonly outputs: readonly string[] }> {
  const model = readModel(stock);
  const types = Object.entries(sizes).map(([name, rest]) => [name, fix(model, name, rest)] as const);
  const graph = standardForm(model, Object.fromEntries(types));
  graph.outputs.forEach((value, i) => {
    rename(graph, value, model.outputs[i]!);
  });
  graph.outputs.splice(0, Infinity, ...model.outputs);
  return { ...finish(graph), info: { outputs: model.outputs } };
}

/** Refuses inputs that nobody would feed. */
function requireOnly(model: Graph, names: readonly string[], path: string): void {
  const extra = [...model.inputs.keys()].filter((name) => !names.includes(name));
  if (!extra.length) return;
  const message = `expected the inputs of Stable Diffusion 1.x and 2.x (${names.join(', ')}) in ${path}, found ${extra.join(', ')} as well; export it without them, or choose a model of that family`;
  throw new AppError('onnx.extraInput', message);
}

/** The input's type with a free batch and all other dimensions fixed, by the graph or by `sizes`. */
function fix(model: Graph, name: string, sizes: readonly (number | undefined)[]): TensorType {
  const { type, dims } = requireInput(model.inputs, name);
  const rest = dims.slice(1).map((dim, i) => {
    const size = isBatch(dim) ? sizes[i] : dim;
    if (size !== undefined && size === (sizes[i] ?? size)) return size;
    const message = `expected a size for dimension ${i + 1} of input "${name}", found ${showDims([dim])} in the graph and ${sizes[i] ?? 'nothing'} in the configuration`;
    throw new AppError('onnx.size', message);
  });
  return { type, dims: [BATCH, ...rest] };
}

function standardForm(model: Graph, inputs: Readonly<Record<string, TensorType>>): Graph {
  return simplify(specialize(model, new Map(Object.entries(inputs))));
}

/**
 * Outputs of an `If` have two shapes, so their dimensions are declared open. A batch without a name keeps onnxruntime from
 * holding buffers for later values of the same shape (plan/buffers.ts).
 */
function finish(
  graph: Graph,
  { declared, batchIsNamed = true }: { declared?: DeclaredDims; batchIsNamed?: boolean } = {},
): Omit<Prepared<never>, 'info'> {
  lower(graph);
  const gated = new Set(graph.nodes.flatMap(({ op, outputs }) => (op === 'If' ? outputs : [])));
  const open = graph.outputs
    .filter((name) => gated.has(name))
    .map((name) => [name, graph.typeOf(name).dims.map((_, i) => `${name}_${i}`)] as const);
  const bytes = writeModel(graph, new Map([...(declared ?? []), ...open]), batchIsNamed);
  return { bytes, weights: weightFiles(graph) };
}

function weightFiles(graph: Graph): string[] {
  const locations = [...graph.constants.values()].map(({ content }) =>
    content.kind === 'stored' ? [content.location] : [],
  );
  return [...new Set(locations.flat())];
}
