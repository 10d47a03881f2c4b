/**
 * The frozen pipeline: tokenizer, text encoder, U-Net and VAE of a base model in its prepared form (src/onnx), on one
 * Runtime. Every method's shapes use B pictures, N text rows, L cross-attention layers, T tokens, D context width.
 */
import { z } from 'zod';
import { AppError } from '../lib/errors.ts';
import type { OrtTensor, Outputs, Runtime, Session } from '../ort/runtime.ts';
import { floats } from '../ort/runtime.ts';
import { NoiseSchedule, scheduleSchema } from './schedule.ts';
import type { TokenRow } from './tokenizer.ts';
import { PromptTokenizer } from './tokenizer.ts';

/** Reads a file of the model by its path relative to the model's folder. */
export type ModelReader = (path: string) => Promise<Uint8Array>;

export interface ModelShape {
  readonly layers: number;
  readonly tokens: number;
  readonly contextWidth: number;
  /** [channels, height, width] of the latents. */
  readonly latent: readonly [number, number, number];
  readonly resolution: number;
}

const preparedSchema = z.object({
  layers: z.int().positive(),
  tokens: z.int().positive(),
  contextWidth: z.int().positive(),
  latent: z.tuple([z.int().positive(), z.int().positive(), z.int().positive()]),
});
const vaeSchema = z.object({ sample_size: z.int().positive(), scaling_factor: z.number().default(0.18215) });

const textOutputs = {
  contexts: ['key_contexts', 'value_contexts'],
  gradients: ['grad_concept_embedding', 'grad_concept_bypass'],
  embeddings: ['token_embeddings'],
} as const;
const unetOutputs = {
  answer: ['out_sample'],
  losses: ['losses'],
  gradients: ['losses', 'grad_key_contexts', 'grad_value_contexts'],
} as const;
const gradientNames = ['grad_key_contexts', 'grad_value_contexts'] as const;
const networks = {
  unet: ['grad_key_contexts', 'grad_value_contexts'],
  text_encoder: ['key_contexts', 'value_contexts', 'grad_concept_embedding', 'grad_concept_bypass'],
  vae_encoder: [],
  vae_decoder: [],
} as const;
type Network = keyof typeof networks;

/** What the text encoder is told of the concept, one row a prompt row. */
export interface ConceptRows {
  /** v_base [N, D]. */
  readonly embedding: OrtTensor;
  /** v_bypass [N, D]; zeros for none. */
  readonly bypass: OrtTensor;
}

export interface Contexts {
  /** [N, T, D] each. */
  readonly keys: OrtTensor;
  readonly values: OrtTensor;
}

export interface UnetInputs {
  /** Noisy latents [B, C, H, W]. */
  readonly sample: Float32Array;
  readonly timesteps: readonly number[];
  /** [L, B, T, D] each. */
  readonly keys: OrtTensor;
  readonly values: OrtTensor;
}

/** Strength of the textual bypass (official implementation: 0.2). */
export const bypassScale = 0.2;

export class Pipeline {
  private constructor(
    readonly runtime: Runtime,
    readonly shape: ModelShape,
    readonly schedule: NoiseSchedule,
    readonly tokenizer: PromptTokenizer,
    readonly latentScale: number,
    private readonly sessions: Readonly<Record<Network, Session>>,
  ) {}

  /** Loads a prepared model. `onPart` is told of each network before it is loaded. */
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
    const sessions: Partial<Record<Network, Session>> = {};
    for (const name of Object.keys(networks) as Network[]) {
      onPart?.(name);
      sessions[name] = await loadNetwork(runtime, read, name);
    }
    const shape = { ...prepared, resolution: vae.sample_size };
    return new Pipeline(
      runtime,
      shape,
      schedule,
      tokenizer,
      vae.scaling_factor,
      sessions as Record<Network, Session>,
    );
  }

  /**
   * Contexts of N prompt rows, plain for the keys and bypassed for the values. Without `concept` the rows must not
   * have a placeholder.
   */
  async encodeText(rows: readonly TokenRow[], concept?: ConceptRows): Promise<Contexts> {
    const outputs = await this.runText(rows, textOutputs.contexts, concept);
    return { keys: outputs['key_contexts']!, values: outputs['value_contexts']! };
  }

  /**
   * Vector-Jacobian product of `encodeText`: gradients [N, D] of v_base and v_bypass from those of the contexts
   * [N, T, D].
   */
  async encodeTextGradient(
    rows: readonly TokenRow[],
    concept: ConceptRows,
    gradients: { keys: OrtTensor; values: OrtTensor },
  ): Promise<{ embedding: OrtTensor; bypass: OrtTensor }> {
    const outputs = await this.runText(rows, textOutputs.gradients, concept, gradients);
    return { embedding: outputs['grad_concept_embedding']!, bypass: outputs['grad_concept_bypass']! };
  }

  /** L2 norm of a token's embedding: the mapper's output gets that of its super-category (method: optional norm). */
  async embeddingNorm(token: number): Promise<number> {
    const { tokens, contextWidth } = this.shape;
    const ids = Array.from({ length: tokens }, () => token);
    const { token_embeddings: embeddings } = await this.runText(
      [{ ids, placeholder: null }],
      textOutputs.embeddings,
    );
    return Math.hypot(...(await floats(embeddings!)).subarray(0, contextWidth));
  }

  /** The network's answer [B, C, H, W]. */
  async denoise(inputs: UnetInputs): Promise<Float32Array> {
    const weights = new Float32Array(inputs.timesteps.length);
    const outputs = await this.runUnet(inputs, inputs.sample, weights, unetOutputs.answer);
    return floats(outputs['out_sample']!);
  }

  /**
   * Mean squared error of each picture, and the gradients [L, B, T, D] of their mean with respect to the contexts.
   * @param target [B, C, H, W], what the network should have answered.
   */
  async denoiseGradient(
    inputs: UnetInputs,
    target: Float32Array,
  ): Promise<{ losses: Float32Array; keys: OrtTensor; values: OrtTensor }> {
    const pictures = inputs.timesteps.length;
    const weights = new Float32Array(pictures).fill(1 / pictures);
    const outputs = await this.runUnet(inputs, target, weights, unetOutputs.gradients);
    const [keys, values] = gradientNames.map((name) => outputs[name]!);
    return { losses: await floats(outputs['losses']!), keys: keys!, values: values! };
  }

  /** Mean squared error of each picture, without gradients. */
  async denoiseLosses(inputs: UnetInputs, target: Float32Array): Promise<Float32Array> {
    const weights = new Float32Array(inputs.timesteps.length);
    const outputs = await this.runUnet(inputs, target, weights, unetOutputs.losses);
    return floats(outputs['losses']!);
  }

  /** Mean and log-variance [B, C, H, W] each, unscaled, of planes [B, 3, R, R] in −1…1. */
  async encodeImages(
    planes: Float32Array,
    pictures: number,
  ): Promise<{ mean: Float32Array; logvar: Float32Array }> {
    const { resolution, latent } = this.shape;
    const session = this.sessions.vae_encoder;
    const feed = this.runtime.float(planes, [pictures, 3, resolution, resolution]);
    const outputs = await session.run({ [session.inputNames[0]!]: feed });
    const moments = await floats(outputs[session.outputNames[0]!]!);
    const size = latent[0] * latent[1] * latent[2];
    return { mean: everyOther(moments, size, 0), logvar: everyOther(moments, size, 1) };
  }

  /** Planes [B, 3, R, R] of scaled latents [B, C, H, W]. */
  async decodeLatents(latents: Float32Array, pictures: number): Promise<Float32Array> {
    const session = this.sessions.vae_decoder;
    const unscaled = latents.map((x) => x / this.latentScale);
    const feed = this.runtime.float(unscaled, [pictures, ...this.shape.latent]);
    const outputs = await session.run({ [session.inputNames[0]!]: feed });
    return floats(outputs[session.outputNames[0]!]!);
  }

  async release(): Promise<void> {
    await Promise.all(Object.values(this.sessions).map((session) => session.release()));
  }

  private async runText(
    rows: readonly TokenRow[],
    fetches: readonly string[],
    concept?: ConceptRows,
    gradients?: { keys: OrtTensor; values: OrtTensor },
  ): Promise<Outputs> {
    const { runtime, shape } = this;
    const session = this.sessions.text_encoder;
    const dims = [rows.length, shape.tokens];
    const idle = () =>
      runtime.float(new Float32Array(rows.length * shape.contextWidth), [rows.length, shape.contextWidth]);
    const noGradient = () =>
      runtime.float(new Float32Array(rows.length * shape.tokens * shape.contextWidth), [
        ...dims,
        shape.contextWidth,
      ]);
    if (!concept && rows.some((row) => row.placeholder !== null))
      throw new AppError('prompt.noConcept', 'The prompt marks a concept with "{}", but none is chosen.');
    return session.run(
      {
        input_ids: runtime.integers(
          session.inputType('input_ids'),
          rows.flatMap((row) => row.ids),
          dims,
        ),
        placeholder_mask: runtime.float(oneHot(rows, shape.tokens), dims),
        concept_embedding: concept?.embedding ?? idle(),
        concept_bypass: concept?.bypass ?? idle(),
        bypass_scale: runtime.float(Float32Array.of(bypassScale), []),
        grad_key_contexts: gradients?.keys ?? noGradient(),
        grad_value_contexts: gradients?.values ?? noGradient(),
        compute_gradients: runtime.bool(gradients !== undefined),
      },
      fetches,
    );
  }

  private runUnet(
    inputs: UnetInputs,
    target: Float32Array,
    lossWeights: Float32Array,
    fetches: readonly string[],
  ): Promise<Outputs> {
    const { runtime } = this;
    const session = this.sessions.unet;
    const pictures = inputs.timesteps.length;
    const dims = [pictures, ...this.shape.latent];
    return session.run(
      {
        sample: runtime.float(inputs.sample, dims),
        timestep: runtime.integers(session.inputType('timestep'), inputs.timesteps, [pictures]),
        key_contexts: inputs.keys,
        value_contexts: inputs.values,
        target: runtime.float(target, dims),
        loss_weights: runtime.float(lossWeights, [pictures]),
        compute_gradients: runtime.bool(fetches === unetOutputs.gradients),
      },
      fetches,
    );
  }
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
