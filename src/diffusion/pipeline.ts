/**
 * The frozen pipeline: tokenizer, text encoder, U-Net and VAE of a base model in its prepared form (src/onnx), on one
 * Runtime. Every method's shapes use B pictures, N text rows, L cross-attention layers, T tokens, D context width.
 */
import { z } from 'zod';
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import { precisions, type Precision } from '../lib/precision.ts';
import { floats, type Feeds, type OrtTensor, type Runtime, type Session } from '../ort/runtime.ts';
import { NoiseSchedule, scheduleSchema } from './schedule.ts';
import { PromptTokenizer, type TokenRow } from './tokenizer.ts';

/** Reads a file of the model by its path relative to the model's folder. */
export type ModelReader = (path: string) => Promise<Uint8Array>;

export interface ModelShape {
  readonly layers: number;
  /** Height × width of each cross-attention layer's feature map, in execution order. */
  readonly positions: readonly number[];
  readonly tokens: number;
  readonly contextWidth: number;
  /** [channels, height, width] of the latents. */
  readonly latent: readonly [number, number, number];
  readonly resolution: number;
  /** In which the U-Net computes. */
  readonly precision: Precision;
}

const preparedSchema = z.object({
  layers: z.int().positive(),
  positions: z.array(z.int().positive()).readonly(),
  tokens: z.int().positive(),
  contextWidth: z.int().positive(),
  latent: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
  precision: z.enum(precisions).default('float32'),
});
const vaeSchema = z.object({ sample_size: z.int().positive(), scaling_factor: z.number().default(0.18215) });

const contexts = ['key_contexts', 'value_contexts'] as const;
const contextGradients = ['grad_key_contexts', 'grad_value_contexts'] as const;
const conceptGradients = ['grad_concept_embedding', 'grad_concept_bypass'] as const;
/** The networks with the outputs that the next network or the mapper reads: they stay on the GPU. */
const networks = {
  unet: contextGradients,
  text_encoder: [...contexts, ...conceptGradients],
  vae_encoder: [],
  vae_decoder: [],
} as const;
type Network = keyof typeof networks;

/** What the text encoder is told of the concept, or the gradients with respect to it: one row a prompt row. */
export interface ConceptRows {
  /** v_base [N, D]. */
  readonly embedding: OrtTensor;
  /** v_bypass [N, D]; zeros for none. */
  readonly bypass: OrtTensor;
}

/** What cross-attention reads, or the gradients with respect to it. */
export interface Contexts {
  /** [N, T, D] each for prompt rows, [L, B, T, D] for the U-Net. */
  readonly keys: OrtTensor;
  readonly values: OrtTensor;
}

export interface UnetInputs extends Contexts {
  /** Noisy latents [B, C, H, W]. */
  readonly sample: Float32Array;
  readonly timesteps: readonly number[];
}

/** Strength of the textual bypass (official implementation: 0.2). */
const bypassScale = 0.2;

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
   * Loads a prepared model; `onPart` is told of each network before it is loaded. Throws what `read` and onnxruntime
   * throw, and a ZodError when a configuration is not of Stable Diffusion's form.
   */
  static async load(runtime: Runtime, read: ModelReader, onPart?: (part: string) => void): Promise<Pipeline> {
    const json = async (path: string) => JSON.parse(new TextDecoder().decode(await read(path))) as unknown;
    const prepared = preparedSchema.parse(await json('prepared/prepared.json'));
    const vae = vaeSchema.parse(await json('vae_decoder/config.json'));
    const schedule = new NoiseSchedule(scheduleSchema.parse(await json('scheduler/scheduler_config.json')));
    const tokenizer = new PromptTokenizer({
      tokenizer: (await json('tokenizer/tokenizer.json')) as object,
      config: (await json('tokenizer/tokenizer_config.json')) as object,
      tokens: prepared.tokens,
    });
    const sessions = new Map<Network, Session>();
    for (const name of Object.keys(networks) as Network[]) {
      onPart?.(name);
      sessions.set(name, await loadNetwork(runtime, read, name));
    }
    const shape = { ...prepared, resolution: vae.sample_size };
    const byName = Object.fromEntries(sessions) as Record<Network, Session>;
    return new Pipeline(runtime, shape, schedule, tokenizer, vae.scaling_factor, byName);
  }

  /**
   * Contexts of N prompt rows, plain for the keys and bypassed for the values; the caller disposes of them. Throws
   * `prompt.noConcept` for a row with a placeholder without `concept`.
   */
  async encodeText(rows: readonly TokenRow[], concept?: ConceptRows): Promise<Contexts> {
    const [keys, values] = await this.runText(rows, contexts, concept);
    return { keys: keys!, values: values! };
  }

  /**
   * Vector-Jacobian product of `encodeText`: gradients [N, D] of v_base and v_bypass from those of the contexts
   * [N, T, D].
   */
  async encodeTextGradient(
    rows: readonly TokenRow[],
    concept: ConceptRows,
    gradients: Contexts,
  ): Promise<ConceptRows> {
    const [embedding, bypass] = await this.runText(rows, conceptGradients, concept, gradients);
    return { embedding: embedding!, bypass: bypass! };
  }

  /** A token's embedding [D]: the mapper's output gets the norm of its super-category's (method: optional norm). */
  async tokenEmbedding(token: number): Promise<Float32Array<ArrayBuffer>> {
    const { tokens, contextWidth } = this.shape;
    const ids = Array.from({ length: tokens }, () => token);
    const [embeddings] = await this.runText([{ ids, placeholder: null }], ['token_embeddings']);
    return (await floats(embeddings!)).slice(0, contextWidth);
  }

  /** The network's answer [B, C, H, W]. */
  async denoise(inputs: UnetInputs): Promise<Float32Array> {
    const [answer] = await this.runUnet(inputs, inputs.sample, ['out_sample']);
    return floats(answer!);
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
    const fetches = ['losses', ...contextGradients, ...checks];
    const [losses, keys, values, squares] = await this.runUnet(inputs, target, fetches, lossScale);
    const finite = !squares || (await floats(squares)).every(Number.isFinite);
    return { losses: await floats(losses!), keys: keys!, values: values!, finite };
  }

  /** Mean squared error of each picture to `target` [B, C, H, W], without gradients. */
  async denoiseLosses(inputs: UnetInputs, target: Float32Array): Promise<Float32Array> {
    const [losses] = await this.runUnet(inputs, target, ['losses']);
    return floats(losses!);
  }

  /** Mean and log-variance [B, C, H, W] each, unscaled, of planes [B, 3, R, R] in −1…1. */
  async encodeImages(
    planes: Float32Array,
    pictures: number,
  ): Promise<{ mean: Float32Array; logvar: Float32Array }> {
    const { resolution, latent } = this.shape;
    const moments = await this.runVae('vae_encoder', planes, [pictures, 3, resolution, resolution]);
    const size = latent[0] * latent[1] * latent[2];
    return { mean: everyOther(moments, size, 0), logvar: everyOther(moments, size, 1) };
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
    concept?: ConceptRows,
    gradients?: Contexts,
  ): Promise<OrtTensor[]> {
    if (!concept && rows.some((row) => row.placeholder !== null))
      throw new AppError('prompt.noConcept', 'The prompt marks a concept with "{}", but none is chosen.');
    const { runtime, shape } = this;
    const dims = [rows.length, shape.tokens];
    const ids = rows.flatMap((row) => row.ids);
    const zeros = (...outer: number[]) => zeroTensor(runtime, [...outer, shape.contextWidth]);
    return this.run('text_encoder', fetches, {
      input_ids: runtime.integers(this.sessions.text_encoder.inputType('input_ids'), ids, dims),
      placeholder_mask: runtime.float(oneHot(rows, shape.tokens), dims),
      concept_embedding: concept?.embedding ?? zeros(rows.length),
      concept_bypass: concept?.bypass ?? zeros(rows.length),
      bypass_scale: runtime.float(Float32Array.of(bypassScale), []),
      grad_key_contexts: gradients?.keys ?? zeros(...dims),
      grad_value_contexts: gradients?.values ?? zeros(...dims),
      compute_gradients: runtime.bool(gradients !== undefined),
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
      timestep: runtime.integers(timestepType, inputs.timesteps, [pictures]),
      key_contexts: inputs.keys,
      value_contexts: inputs.values,
      target: runtime.float(target, dims),
      loss_weights: runtime.float(new Float32Array(pictures).fill(lossScale / pictures), [pictures]),
      compute_gradients: runtime.bool(fetches.includes(contextGradients[0])),
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

function zeroTensor(runtime: Runtime, dims: readonly number[]): OrtTensor {
  return runtime.float(new Float32Array(sizeOf(dims)), dims);
}

async function loadNetwork(runtime: Runtime, read: ModelReader, name: Network): Promise<Session> {
  const stock = `${name}/model.onnx`;
  const [graph, weights] = await Promise.all([read(`prepared/${name}.onnx`), read(stock)]);
  return runtime.load(graph, [{ path: stock, data: weights }], networks[name]);
}

/** One-hot rows [N, T] at the placeholders; zero rows where there is none. */
function oneHot(rows: readonly TokenRow[], tokens: number): Float32Array {
  const mask = new Float32Array(rows.length * tokens);
  rows.forEach((row, n) => {
    if (row.placeholder !== null) mask[n * tokens + row.placeholder] = 1;
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
