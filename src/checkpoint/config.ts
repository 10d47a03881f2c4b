/**
 * What of a model's configuration its graphs depend on: read from the parts' config.json as diffusers and transformers write them, or
 * recognised from the weights' names and shapes where a file has none. A setting that changes what is computed, and that the graphs do not
 * follow, is refused by name.
 */
import { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { parseConfig } from '../lib/modelFiles.ts';
import type { Weights } from './weights.ts';

export interface UnetConfig {
  /** Channels and side of the latents. */
  readonly channels: number;
  readonly size: number;
  readonly contextWidth: number;
  /** Heads of the attention in each block on the way down. */
  readonly heads: readonly number[];
  readonly groups: number;
  readonly normEpsilon: number;
  readonly flipSinToCos: boolean;
  readonly freqShift: number;
}

export interface TextConfig {
  readonly tokens: number;
  /** Layers that run: a file may hold one more than its model uses. */
  readonly layers: number;
  readonly heads: number;
  readonly activation: 'quick_gelu' | 'gelu';
  readonly normEpsilon: number;
}

export interface VaeConfig {
  readonly latentChannels: number;
  readonly groups: number;
  /** Pixels along each side of a latent cell. */
  readonly enlargement: number;
}

export type Config = Readonly<Record<string, unknown>>;

const positive = z.int().positive();

/** A field that must say nothing, or what the graphs compute anyway. */
const only = (...allowed: readonly (string | number | boolean | null)[]) =>
  z
    .unknown()
    .refine((value) => value === undefined || allowed.includes(value as never), {
      error: ({ input }) =>
        `is ${JSON.stringify(input)}, which the studio does not compute (it takes ${allowed.map((each) => JSON.stringify(each)).join(' or ')})`,
    })
    .optional();

const blocks = (...names: readonly string[]) =>
  z.array(z.enum(names, { error: `names a kind of block that the studio does not compute` })).optional();

const unetFields = z.looseObject({
  in_channels: only(4),
  out_channels: only(4),
  sample_size: z.union([positive, z.tuple([positive, positive])]).nullish(),
  attention_head_dim: z.union([positive, z.array(positive)]).default(8),
  num_attention_heads: z.union([positive, z.array(positive)]).nullish(),
  norm_num_groups: positive.default(32),
  norm_eps: z.number().positive().default(1e-5),
  flip_sin_to_cos: z.boolean().default(true),
  freq_shift: z.number().default(0),
  down_block_types: blocks('CrossAttnDownBlock2D', 'DownBlock2D'),
  up_block_types: blocks('CrossAttnUpBlock2D', 'UpBlock2D'),
  mid_block_type: only('UNetMidBlock2DCrossAttn', null),
  act_fn: only('silu', 'swish'),
  class_embed_type: only(null),
  num_class_embeds: only(null),
  addition_embed_type: only(null),
  encoder_hid_dim: only(null),
  encoder_hid_dim_type: only(null),
  center_input_sample: only(false, null),
  dual_cross_attention: only(false, null),
  only_cross_attention: only(false, null),
  cross_attention_norm: only(null),
  attention_type: only('default', null),
  resnet_time_scale_shift: only('default', null),
  resnet_skip_time_act: only(false, null),
  resnet_out_scale_factor: only(1, null),
  mid_block_scale_factor: only(1, null),
  downsample_padding: only(1, null),
  time_embedding_type: only('positional', null),
  time_embedding_act_fn: only(null),
  timestep_post_act: only(null),
  conv_in_kernel: only(3, null),
  conv_out_kernel: only(3, null),
});

/** Throws `checkpoint.config` for a U-Net that the graphs do not follow, as far as its configuration tells. */
export function checkUnetConfig(config: unknown): void {
  parse(unetFields, config, 'unet/config.json');
}

/** Throws `checkpoint.config`, naming the fields that stand against it. */
export function unetConfig(config: Config, weights: Weights): UnetConfig {
  const read = parse(unetFields, config, 'unet/config.json');
  const count = weights.count('down_blocks');
  const given = read.num_attention_heads ?? read.attention_head_dim;
  const heads = typeof given === 'number' ? new Array<number>(count).fill(given) : given;
  if (heads.length !== count || count === 0)
    throw unlike('unet/config.json', `attention_head_dim for ${count} blocks`, String(heads.length));
  const size = read.sample_size ?? 64;
  if (typeof size !== 'number' && size[0] !== size[1])
    throw unlike('unet/config.json', 'a square sample_size', size.join(' × '));
  return {
    channels: 4,
    size: typeof size === 'number' ? size : size[0],
    contextWidth: contextWidthOf(weights),
    heads,
    groups: read.norm_num_groups,
    normEpsilon: read.norm_eps,
    flipSinToCos: read.flip_sin_to_cos,
    freqShift: read.freq_shift,
  };
}

/** Width of what the first cross-attention reads. */
export function contextWidthOf(weights: Weights): number {
  const keys = 'attentions.0.transformer_blocks.0.attn2.to_k.weight';
  const block = [0, 1, 2, 3].find((i) => weights.has(`down_blocks.${i}.${keys}`)) ?? 0;
  return weights.get(`down_blocks.${block}.${keys}`).shape[1] ?? 0;
}

const textFields = z.looseObject({
  model_type: only('clip_text_model'),
  num_attention_heads: positive,
  num_hidden_layers: positive.nullish(),
  hidden_act: z
    .enum(['quick_gelu', 'gelu'], { error: 'is an activation that the studio does not compute' })
    .default('quick_gelu'),
  layer_norm_eps: z.number().positive().default(1e-5),
});

/** Throws `checkpoint.config`. */
export function textConfig(config: Config, weights: Weights): TextConfig {
  const read = parse(textFields, config, 'text_encoder/config.json');
  return {
    tokens: weights.get('embeddings.position_embedding.weight').shape[0] ?? 0,
    layers: read.num_hidden_layers ?? weights.count('encoder.layers'),
    heads: read.num_attention_heads,
    activation: read.hidden_act,
    normEpsilon: read.layer_norm_eps,
  };
}

const vaeFields = z.looseObject({
  _class_name: only('AutoencoderKL'),
  in_channels: only(3),
  out_channels: only(3),
  latent_channels: only(4),
  norm_num_groups: positive.default(32),
  act_fn: only('silu', 'swish'),
  down_block_types: blocks('DownEncoderBlock2D'),
  up_block_types: blocks('UpDecoderBlock2D'),
  mid_block_add_attention: only(true, null),
  use_quant_conv: only(true, null),
  use_post_quant_conv: only(true, null),
});

/** Throws `checkpoint.config`. */
export function vaeConfig(config: Config, weights: Weights): VaeConfig {
  const read = parse(vaeFields, config, 'vae/config.json');
  const halvings = weights.count('encoder.down_blocks') - 1;
  return { latentChannels: 4, groups: read.norm_num_groups, enlargement: 2 ** halvings };
}

/** Heads of Stable Diffusion 1.x, whatever their width, and channels of one in 2.x and in either CLIP. */
const HEADS = 8;
const HEAD_CHANNELS = 64;

/** config.json of the parts of a file that has none. */
export const recognise = {
  unet(weights: Weights, isOpenClip: boolean): Config {
    const channels = Array.from(
      { length: weights.count('down_blocks') },
      (_, i) => weights.get(`down_blocks.${i}.resnets.0.conv1.weight`).shape[0] ?? 0,
    );
    return {
      in_channels: weights.get('conv_in.weight').shape[1],
      attention_head_dim: isOpenClip ? channels.map((each) => each / HEAD_CHANNELS) : HEADS,
    };
  },
  text(weights: Weights, isOpenClip: boolean): Config {
    const [tokens, width = 0] = weights.get('embeddings.position_embedding.weight').shape;
    return {
      num_attention_heads: width / HEAD_CHANNELS,
      hidden_act: isOpenClip ? 'gelu' : 'quick_gelu',
      max_position_embeddings: tokens,
    };
  },
  vae(weights: Weights): Config {
    const blocks = Array.from(
      { length: weights.count('encoder.down_blocks') },
      (_, i) => weights.get(`encoder.down_blocks.${i}.resnets.0.conv1.weight`).shape[0],
    );
    return { in_channels: 3, latent_channels: 4, block_out_channels: blocks, scaling_factor: 0.18215 };
  },
} as const;

function parse<T>(schema: z.ZodType<T>, config: unknown, path: string): T {
  const parsed = parseConfig(schema, config);
  if ('data' in parsed) return parsed.data;
  throw new AppError(
    'checkpoint.config',
    `${path} is not of Stable Diffusion 1.x’s or 2.x’s form: ${parsed.reasons}.`,
  );
}

function unlike(path: string, expected: string, found: string): AppError {
  return new AppError('checkpoint.config', `Expected ${expected} in ${path}, found ${found}.`);
}
