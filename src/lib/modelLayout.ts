/**
 * The folder of a model: the Hugging Face ONNX layout of Stable Diffusion, what a base may add to it, and what the compiler puts
 * beside it. The one place that knows the paths.
 */
import { z } from './zod.ts';
import { PRECISIONS } from './precision.ts';

/** The networks, each in a folder of its own. */
export const NETWORKS = ['unet', 'text_encoder', 'vae_encoder', 'vae_decoder'] as const;
export type Network = (typeof NETWORKS)[number];

/** Folders of the judge's graphs, where a base has one. */
export const JUDGE_PARTS = ['judge_image', 'judge_text'] as const;
export type JudgePart = (typeof JUDGE_PARTS)[number];

/** The stock graph of a network or of the judge. */
export const graphPath = (part: string) => `${part}/model.onnx`;
export const configPath = (part: string) => `${part}/config.json`;

/** Where a checkpoint of PyTorch, a folder of diffusers or one file, keeps its weights; those of the VAE for both of its halves. */
export const CHECKPOINT_FOLDER: Readonly<Record<Network, string>> = {
  unet: 'unet',
  text_encoder: 'text_encoder',
  vae_encoder: 'vae',
  vae_decoder: 'vae',
};

const tokenizerPath = (name: string) => `tokenizer/${name}`;

export const layout = {
  index: 'model_index.json',
  scheduler: 'scheduler/scheduler_config.json',
  tokenizer: tokenizerPath('tokenizer.json'),
  tokenizerConfig: tokenizerPath('tokenizer_config.json'),
  specialTokens: tokenizerPath('special_tokens_map.json'),
  vocabulary: tokenizerPath('vocab.json'),
  merges: tokenizerPath('merges.txt'),
  /** What a base of ours knows, and the settings that suit it. */
  words: 'words.json',
  defaults: 'defaults.json',
  /** The weights that a training on it begins with (neti/startingMapper.ts). */
  startingMapper: 'starting_mapper.safetensors',
  attribution: 'ATTRIBUTION.md',
  /** A whole model in one file, and a VAE of another file for one that has none. */
  checkpoint: 'checkpoint.safetensors',
  otherVae: 'vae.safetensors',
} as const;

/** What the compiler makes. It counts only with its manifest, which is written last. */
export const PREPARED_FOLDER = 'prepared/';
export const preparedPath = (part: string) => `${PREPARED_FOLDER}${part}.onnx`;
export const preparedManifest = `${PREPARED_FOLDER}prepared.json`;

/** A stock file as it was when it was compiled: its size, and the SHA-256 of all that the compiler read of it. */
const fingerprintSchema = z.object({ bytes: z.int().nonnegative(), sha256: z.string() });
export type Fingerprint = Readonly<z.infer<typeof fingerprintSchema>>;

const size = z.int().positive();

/** `prepared.json`: what was compiled of what, and the sizes found on the way. */
export const preparedSchema = z.object({
  compilerVersion: z.int(),
  /** The stock graphs and the files of their weights, by path. */
  sources: z.record(z.string(), fingerprintSchema),
  /** The stock files in which each prepared graph's weights lie, by part. */
  weights: z.record(z.string(), z.array(z.string()).readonly()).default({}),
  /** Number of cross-attention layers. */
  layers: size,
  /** Height × width of each layer's feature map, in execution order. */
  positions: z.array(size).readonly(),
  tokens: size,
  contextWidth: size,
  /** Channels, height, width. */
  latent: z.tuple([size, size, size]).readonly(),
  /** Number of activations that the text encoder's first run of a training step hands on to the second. */
  handedOn: z.int().nonnegative(),
  /** In which the U-Net computes. */
  precision: z.enum(PRECISIONS).optional(),
  /** Pictures of a training pass that the U-Net's memory was planned for; absent where any number may fit. */
  picturesAtOnce: size.optional(),
  /** Bytes that its training step was held to; absent where there is no limit. */
  activationBudget: z.number().positive().optional(),
  /** SHA-256 of each prepared graph, by name. */
  files: z.record(z.string(), z.string()),
});
export type PreparedManifest = Readonly<z.infer<typeof preparedSchema>>;
