/**
 * The compiler's entry points: stock ONNX bytes in, prepared ONNX bytes out. Prepared graphs compute in float32,
 * leave the batch free and refer to the stock file for their weights. No runtime is needed or touched.
 */
import { BATCH } from './dims';
import { simplify } from './fold/patterns';
import { specialize } from './fold/specialize';
import { lower } from './fold/lower';
import type { Graph, TensorType } from './graph';
import { readModel, type StockFile } from './read';
import { rename } from './surgery/edit';
import { operateOnTextEncoder, type TextShape } from './surgery/text-encoder';
import { operateOnUnet, type UnetShape } from './surgery/unet';
import { writeModel } from './write';

/** Part of `prepared.json`; another version means that graphs must be prepared again. */
export const COMPILER_VERSION = 1;

export interface Prepared<Info> {
  readonly bytes: Uint8Array;
  readonly info: Info;
}

export interface UnetOptions {
  /** Channels, height, width of the latent. */
  readonly latent: readonly [number, number, number];
  readonly tokens: number;
  readonly contextWidth: number;
}

/**
 * U-Net for training and sampling. Inputs sample, target [B,C,H,W], timestep [B], key_contexts, value_contexts
 * [L,B,T,D], loss_weights [B], compute_gradients []; outputs out_sample, losses [B], grad_key_contexts,
 * grad_value_contexts [L,B,T,D] (a single zero unless compute_gradients).
 * Throws AppError `onnx/…` naming the node when the model is not of Stable Diffusion's form.
 */
export function prepareUnet(stock: StockFile, options: UnetOptions): Prepared<UnetShape> {
  const model = readModel(stock);
  const graph = standardForm(model, {
    sample: { type: 'float32', dims: [BATCH, ...options.latent] },
    timestep: { type: model.inputs.get('timestep')?.type ?? 'int64', dims: [BATCH] },
    encoder_hidden_states: { type: 'float32', dims: [BATCH, options.tokens, options.contextWidth] },
  });
  const info = operateOnUnet(graph);
  return { bytes: finish(graph), info };
}

/**
 * Text encoder with a concept. Inputs input_ids, placeholder_mask [N,T], concept_embedding, concept_bypass [N,D],
 * bypass_scale [], grad_key_contexts, grad_value_contexts [N,T,D], compute_gradients []; outputs key_contexts,
 * value_contexts [N,T,D], grad_concept_embedding, grad_concept_bypass [N,D] (a single zero unless compute_gradients).
 */
export function prepareTextEncoder(stock: StockFile, options: { readonly tokens: number }): Prepared<TextShape> {
  const model = readModel(stock);
  const type = model.inputs.get('input_ids')?.type ?? 'int64';
  const graph = standardForm(model, { input_ids: { type, dims: [BATCH, options.tokens] } });
  const info = operateOnTextEncoder(graph);
  return { bytes: finish(graph), info };
}

/** VAE encoder or decoder: the stock graph in float32, same inputs and outputs; `dims` fixes sizes left open. */
export function prepareVae(
  stock: StockFile,
  dims: Readonly<Record<string, readonly number[]>>,
): Prepared<{ readonly outputs: readonly string[] }> {
  const model = readModel(stock);
  const types = Object.entries(dims).map(([name, rest]) => [name, { type: 'float32', dims: [BATCH, ...rest] }] as const);
  const graph = standardForm(model, Object.fromEntries(types));
  graph.outputs.forEach((value, i) => {
    rename(graph, value, model.outputs[i]!);
  });
  graph.outputs.splice(0, Infinity, ...model.outputs);
  return { bytes: finish(graph), info: { outputs: model.outputs } };
}

function standardForm(model: Graph, inputs: Readonly<Record<string, TensorType>>): Graph {
  return simplify(specialize(model, new Map(Object.entries(inputs))));
}

/** Gradient outputs have two shapes, so their dimensions are declared open. */
function finish(graph: Graph): Uint8Array {
  lower(graph);
  const gradients = graph.outputs.filter((name) => name.startsWith('grad_'));
  const open = gradients.map((name) => [name, graph.typeOf(name).dims.map((_, i) => `${name}_${i}`)] as const);
  return writeModel(graph, new Map(open));
}
