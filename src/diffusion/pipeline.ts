/**
 * The frozen pipeline: tokenizer, text encoder, U-Net and VAE of a base model in its prepared form (src/onnx), on one
 * Runtime. Every method's shapes use B pictures, N text rows, L cross-attention layers, T tokens, D context width.
 */
import { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { readBytes, readConfig, type OpenFile } from '../lib/modelFiles.ts';
import {
  configPath,
  graphPath,
  NETWORKS,
  preparedManifest,
  preparedPath,
  preparedSchema,
  type Network,
} from '../lib/modelLayout.ts';
import type { Precision } from '../lib/precision.ts';
import { floats, type Feeds, type OrtTensor, type Runtime, type Session } from '../ort/runtime.ts';
import { readTokenizerFolder } from './clipTokenizer.ts';
import { NoiseSchedule } from './noiseSchedule.ts';
import { readSchedulerConfig } from './schedulerConfig.ts';
import { PromptTokenizer, type TokenRow } from './tokenizer.ts';

export interface ModelShape {
  readonly layers: number;
  /** Height × width of each cross-attention layer's feature map, in execution order. */
  readonly positions: readonly number[];
  /** Number of activations that the text encoder's first run of a training step hands on to the second. */
  readonly handedOn: number;
  readonly tokens: number;
  readonly contextWidth: number;
  /** [channels, height, width] of the latents. */
  readonly latent: readonly [number, number, number];
  readonly resolution: number;
  /** In which the U-Net computes. */
  readonly precision: Precision;
  /** Pictures that the U-Net's memory was planned for; null where any number fits. */
  readonly picturesAtOnce: number | null;
}

/** For what newer autoencoders have and this pipeline does not compute. */
const absent = z.null({ error: 'is not supported: this autoencoder is not Stable Diffusion’s' }).optional();

/** Older exports have no configuration of the VAE: it is Stable Diffusion's. */
const vaeSchema = z.object({
  scaling_factor: z.number().default(0.18215),
  shift_factor: absent,
  latents_mean: absent,
});

const CONTEXTS = ['key_contexts', 'value_contexts'] as const;
const CONTEXT_GRADIENTS = ['grad_key_contexts', 'grad_value_contexts'] as const;
const CONCEPT_GRADIENTS = ['grad_concept_embedding', 'grad_concept_bypass'] as const;

/** What the text encoder is told of a row's concepts of V word vectors together, or the gradients with respect to it: one row a prompt row. */
export interface ConceptRows {
  /** v_base [N, V, D]: the vectors of the concept at the first mark, then those at the next. */
  readonly embedding: OrtTensor;
  /** v_bypass [N, D] at every mark; zeros for none. */
  readonly bypass: OrtTensor;
}

/** A concept, and how far its bypass moves the hidden states. */
export interface ConceptInputs extends ConceptRows {
  readonly bypassScale: number;
}

/** What cross-attention reads, or the gradients with respect to it. */
export interface Contexts {
  /** [N, T, D] each for prompt rows, [L, B, T, D] for the U-Net. */
  readonly keys: OrtTensor;
  readonly values: OrtTensor;
}

/** A run of the text encoder whose gradient will be asked for. Whoever began it disposes of its contexts and what was kept. */
export interface TextPass extends Contexts {
  readonly rows: readonly TokenRow[];
  readonly concept: ConceptInputs;
  /** Activations that the gradient needs. */
  readonly kept: readonly OrtTensor[];
}

export interface UnetInputs extends Contexts {
  /** Noisy latents [B, C, H, W]. */
  readonly sample: Float32Array;
  readonly timesteps: readonly number[];
}

/** Prompt rows whose tokens' embeddings are read at once. */
const EMBEDDED_ROWS = 64;

/** Log-variance of what has none, as diffusers clamps it. */
const NO_SPREAD = -30;

export class Pipeline {
  private constructor(
    readonly runtime: Runtime,
    readonly shape: ModelShape,
    readonly schedule: NoiseSchedule,
    readonly tokenizer: PromptTokenizer,
    readonly latentScale: number,
    private readonly sessions: Readonly<Record<Network, Session>>,
  ) {}

  /**
   * Loads a prepared model; `onPart` is told of each network before it is loaded. Throws what `open` and onnxruntime
   * throw, `tokenizer.format`, and `model.config` when a configuration is not of Stable Diffusion's form.
   */
  static async load(runtime: Runtime, open: OpenFile, onPart?: (part: string) => void): Promise<Pipeline> {
    const prepared = await readConfig(open, preparedManifest, preparedSchema);
    const { weights } = prepared;
    const { scaling_factor: latentScale } = await readConfig(open, configPath('vae_decoder'), vaeSchema);
    const schedule = new NoiseSchedule(await readSchedulerConfig(open));
    const tokenizer = new PromptTokenizer({ ...(await readTokenizerFolder(open)), tokens: prepared.tokens });
    const sessions = new Map<Network, Session>();
    for (const name of NETWORKS) {
      onPart?.(name);
      const files = weights[name] ?? [graphPath(name)];
      sessions.set(name, await loadNetwork(runtime, open, name, files, readOnGpu(name, prepared.handedOn)));
    }
    const byName = Object.fromEntries(sessions) as Record<Network, Session>;
    const { layers, positions, handedOn, tokens, contextWidth, latent } = prepared;
    const sizes = { layers, positions, handedOn, tokens, contextWidth, latent };
    const { precision = 'float32', picturesAtOnce = null } = prepared;
    const shape = { ...sizes, precision, picturesAtOnce, resolution: sideOf(byName.vae_encoder) };
    return new Pipeline(runtime, shape, schedule, tokenizer, latentScale, byName);
  }

  /**
   * Contexts of N prompt rows, plain for the keys and bypassed for the values; the caller disposes of them. Rows with a
   * mark need `concept`. Throws `prompt.vectors` for a row of another number of vectors than it has.
   */
  async encodeText(rows: readonly TokenRow[], concept?: ConceptInputs): Promise<Contexts> {
    const [keys, values] = await this.runText(rows, CONTEXTS, concept);
    return { keys: keys!, values: values! };
  }

  /** `encodeText` for training: what its gradient needs is kept. */
  async beginText(rows: readonly TokenRow[], concept: ConceptInputs): Promise<TextPass> {
    const names = indexed('kept', this.shape.handedOn);
    const [keys, values, ...kept] = await this.runText(rows, [...CONTEXTS, ...names], concept);
    return { keys: keys!, values: values!, rows, concept, kept };
  }

  /**
   * Vector-Jacobian product of `encodeText`: gradients of v_base [N, V, D] and v_bypass [N, D] from those of the contexts
   * [N, T, D].
   */
  async encodeTextGradient(pass: TextPass, gradients: Contexts): Promise<ConceptRows> {
    const backward = { gradients, kept: pass.kept };
    const [embedding, bypass] = await this.runText(pass.rows, CONCEPT_GRADIENTS, pass.concept, backward);
    return { embedding: embedding!, bypass: bypass! };
  }

  /** A token's embedding [D]: the mapper's output gets the norm of its super-category's (method: optional norm). */
  async tokenEmbedding(token: number): Promise<Float32Array<ArrayBuffer>> {
    return (await this.tokenEmbeddings([token])).slice();
  }

  /** Embeddings [ids, D] of any number of tokens, a few rows of them at a time. */
  async tokenEmbeddings(ids: readonly number[]): Promise<Float32Array<ArrayBuffer>> {
    const { tokens, contextWidth } = this.shape;
    const all = new Float32Array(ids.length * contextWidth);
    const atOnce = EMBEDDED_ROWS * tokens;
    for (let start = 0; start < ids.length; start += atOnce) {
      const part = ids.slice(start, start + atOnce);
      const rows = Array.from({ length: Math.ceil(part.length / tokens) }, (_, row) => ({
        ids: Array.from({ length: tokens }, (_, i) => part[row * tokens + i] ?? part[0]!),
        marks: [],
        weights: null,
      }));
      const [embeddings] = await this.runText(rows, ['token_embeddings']);
      const found = await floats(embeddings!);
      all.set(found.subarray(0, part.length * contextWidth), start * contextWidth);
    }
    return all;
  }

  /** The network's answer [B, C, H, W]. */
  async denoise(inputs: UnetInputs): Promise<Float32Array> {
    const [answer] = await this.runUnet(inputs, inputs.sample, ['out_sample']);
    return floats(answer!);
  }

  /** `denoise`, and of each layer how much its places attend to each token: [B, places, T], the mean over its heads. */
  async denoiseWithAttention(
    inputs: UnetInputs,
  ): Promise<{ answer: Float32Array; attention: readonly Float32Array[] }> {
    const names = indexed('attention', this.shape.layers);
    const outputs = await this.runUnet(inputs, inputs.sample, ['out_sample', ...names]);
    const [answer, ...attention] = await Promise.all(outputs.map(floats));
    return { answer: answer!, attention };
  }

  /**
   * Mean squared error of each picture, and the gradients [L, B, T, D] of their mean times `lossScale` with respect to the
   * contexts; `finite` is false when half precision overflowed on the way.
   * @param target [B, C, H, W], what the network should have answered.
   */
  async denoiseGradient(
    inputs: UnetInputs,
    target: Float32Array,
    lossScale = 1,
  ): Promise<Contexts & { losses: Float32Array; finite: boolean }> {
    const checks = this.shape.precision === 'float16' ? ['grad_squares'] : [];
    const fetches = ['losses', ...CONTEXT_GRADIENTS, ...checks];
    const [losses, keys, values, squares] = await this.runUnet(inputs, target, fetches, lossScale);
    const finite = !squares || (await floats(squares)).every(Number.isFinite);
    return { losses: await floats(losses!), keys: keys!, values: values!, finite };
  }

  /** Mean squared error of each picture to `target` [B, C, H, W], without gradients. */
  async denoiseLosses(inputs: UnetInputs, target: Float32Array): Promise<Float32Array> {
    const [losses] = await this.runUnet(inputs, target, ['losses']);
    return floats(losses!);
  }

  /**
   * Mean and log-variance [B, C, H, W] each, unscaled, of planes [B, 3, R, R] in −1…1. An encoder that was exported with
   * its sampling answers with one sample, which is taken for the mean. Throws `model.vae` for an encoder that answers otherwise.
   */
  async encodeImages(
    planes: Float32Array,
    pictures: number,
  ): Promise<{ mean: Float32Array; logvar: Float32Array }> {
    const { resolution, latent } = this.shape;
    const moments = await this.runVae('vae_encoder', planes, [pictures, 3, resolution, resolution]);
    const size = latent[0] * latent[1] * latent[2];
    if (moments.length === pictures * size)
      return { mean: moments, logvar: new Float32Array(moments.length).fill(NO_SPREAD) };
    if (moments.length === 2 * pictures * size)
      return { mean: everyOther(moments, size, 0), logvar: everyOther(moments, size, 1) };
    const [name] = this.sessions.vae_encoder.outputNames;
    throw new AppError(
      'model.vae',
      `Expected vae_encoder to answer with ${size} or ${2 * size} numbers a picture, found ${moments.length / pictures} ` +
        `in its output ${name}; export the model again with its distribution's parameters.`,
    );
  }

  /** Planes [B, 3, R, R] of scaled latents [B, C, H, W]. */
  decodeLatents(latents: Float32Array, pictures: number): Promise<Float32Array> {
    const unscaled = latents.map((x) => x / this.latentScale);
    return this.runVae('vae_decoder', unscaled, [pictures, ...this.shape.latent]);
  }

  async release(): Promise<void> {
    await Promise.all(Object.values(this.sessions).map((session) => session.release()));
  }

  private runText(
    rows: readonly TokenRow[],
    fetches: readonly string[],
    concept?: ConceptInputs,
    backward?: { readonly gradients: Contexts; readonly kept: readonly OrtTensor[] },
  ): Promise<OrtTensor[]> {
    const { runtime, shape } = this;
    const { text_encoder: session } = this.sessions;
    const dims = [rows.length, shape.tokens];
    const vectors = concept?.embedding.dims[1] ?? 1;
    const ids = rows.flatMap((row) => row.ids);
    const zeros = (...outer: number[]) => runtime.zeros('float32', [...outer, shape.contextWidth]);
    const unread = (name: string) => runtime.zeros(session.inputType(name), oneRow(session.inputShape(name)));
    const given = indexed('given', shape.handedOn);
    return this.run('text_encoder', fetches, {
      input_ids: runtime.integers(session.inputType('input_ids'), ids, dims),
      placeholder_mask: runtime.float(oneHot(rows, shape.tokens, vectors), [...dims, vectors]),
      concept_embedding: concept?.embedding ?? zeros(rows.length, vectors),
      concept_bypass: concept?.bypass ?? zeros(rows.length),
      bypass_scale: runtime.float(Float32Array.of(concept?.bypassScale ?? 0), []),
      compute_contexts: runtime.bool(fetches.includes(CONTEXTS[0])),
      compute_gradients: runtime.bool(backward !== undefined),
      grad_key_contexts: backward?.gradients.keys ?? unread('grad_key_contexts'),
      grad_value_contexts: backward?.gradients.values ?? unread('grad_value_contexts'),
      ...Object.fromEntries(given.map((name, i) => [name, backward?.kept[i] ?? unread(name)])),
    });
  }

  private runUnet(
    inputs: UnetInputs,
    target: Float32Array,
    fetches: readonly string[],
    lossScale = 1,
  ): Promise<OrtTensor[]> {
    const { runtime } = this;
    const pictures = inputs.timesteps.length;
    const dims = [pictures, ...this.shape.latent];
    const timestepType = this.sessions.unet.inputType('timestep');
    return this.run('unet', fetches, {
      sample: runtime.float(inputs.sample, dims),
      timestep: runtime.integers(timestepType, asTaken(timestepType, inputs.timesteps), [pictures]),
      key_contexts: inputs.keys,
      value_contexts: inputs.values,
      target: runtime.float(target, dims),
      loss_weights: runtime.float(new Float32Array(pictures).fill(lossScale / pictures), [pictures]),
      compute_gradients: runtime.bool(fetches.includes(CONTEXT_GRADIENTS[0])),
      attention_maps: runtime.bool(fetches.includes('attention_0')),
    });
  }

  private async runVae(
    network: 'vae_encoder' | 'vae_decoder',
    data: Float32Array,
    dims: readonly number[],
  ): Promise<Float32Array> {
    const { inputNames, outputNames } = this.sessions[network];
    const feeds = { [inputNames[0]!]: this.runtime.float(data, dims) };
    const [output] = await this.run(network, [outputNames[0]!], feeds);
    return floats(output!);
  }

  /** The outputs in the order of `fetches`. */
  private async run(network: Network, fetches: readonly string[], feeds: Feeds): Promise<OrtTensor[]> {
    const outputs = await this.sessions[network].run(feeds, fetches);
    return fetches.map((name) => outputs[name]!);
  }
}

/** `kept_0`, `kept_1` … */
function indexed(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}_${i}`);
}

/** The outputs of a network that the next network or the mapper reads: they stay on the GPU. */
function readOnGpu(network: Network, handedOn: number): readonly string[] {
  if (network === 'unet') return CONTEXT_GRADIENTS;
  return network === 'text_encoder' ? [...CONTEXTS, ...CONCEPT_GRADIENTS, ...indexed('kept', handedOn)] : [];
}

/** The least that an input takes: one along each free dimension. */
function oneRow(shape: readonly (number | string)[]): number[] {
  return shape.map((dim) => (typeof dim === 'number' && dim > 0 ? dim : 1));
}

async function loadNetwork(
  runtime: Runtime,
  open: OpenFile,
  name: Network,
  weights: readonly string[],
  gpuOutputs: readonly string[],
): Promise<Session> {
  const graph = await readBytes(open, preparedPath(name));
  const external = await Promise.all(weights.map(async (path) => ({ path, data: await open(path) })));
  return runtime.load(graph, external, gpuOutputs);
}

/** Side of the pictures that the VAE's encoder reads: [B, 3, R, R]. Throws `model.vae`. */
function sideOf(encoder: Session): number {
  const [name] = encoder.inputNames;
  const [, , height, width] = encoder.inputShape(name!);
  if (typeof height === 'number' && height === width) return height;
  throw new AppError(
    'model.vae',
    `Expected square pictures as the input of vae_encoder, found ${height} × ${width}.`,
  );
}

/** Timesteps between whole ones, rounded where the network was exported for whole numbers. */
function asTaken(type: string, timesteps: readonly number[]): readonly number[] {
  return type === 'float32' ? timesteps : timesteps.map(Math.round);
}

/** [N, T, V]: 1 at the token of each of the marks' vectors; zeros in rows without a mark. */
function oneHot(rows: readonly TokenRow[], tokens: number, vectors: number): Float32Array {
  const mask = new Float32Array(rows.length * tokens * vectors);
  rows.forEach(({ marks }, n) => {
    const places = marks.flatMap(({ first, count }) => Array.from({ length: count }, (_, v) => first + v));
    if (places.length > 0 && places.length !== vectors)
      throw new AppError(
        'prompt.vectors',
        `The prompt has places for ${places.length} word vectors of its concepts, but they have ${vectors}; encode it anew.`,
      );
    places.forEach((place, v) => (mask[(n * tokens + place) * vectors + v] = 1));
  });
  return mask;
}

/** Blocks of `size` numbers: those with an even (0) or odd (1) index, joined. */
function everyOther(data: Float32Array, size: number, parity: 0 | 1): Float32Array {
  const joined = new Float32Array(data.length / 2);
  for (let block = 0; 2 * block * size < data.length; block++)
    joined.set(data.subarray((2 * block + parity) * size, (2 * block + parity + 1) * size), block * size);
  return joined;
}
