/**
 * Prepares a whole model folder (Hugging Face ONNX layout): the four graphs under `prepared/`, and
 * `prepared/prepared.json` with the sizes found, the compiler's version and the hashes of sources and results.
 */
import { AppError } from '../lib/errors.ts';
import type { Precision } from '../lib/precision.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { DEFAULT_OPTIONS, type CompileOptions } from './options.ts';
import { COMPILER_VERSION, prepareTextEncoder, prepareUnchanged, prepareUnet } from './prepare.ts';

/** Reads a file of the model by its path from the model's folder. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

export interface PreparedManifest {
  readonly compilerVersion: number;
  /** SHA-256 of each stock graph, by path. */
  readonly sources: Readonly<Record<string, string>>;
  /** Number of cross-attention layers. */
  readonly layers: number;
  /** Height × width of each layer's feature map, in execution order. */
  readonly positions: readonly number[];
  readonly tokens: number;
  readonly contextWidth: number;
  /** Channels, height, width. */
  readonly latent: readonly [number, number, number];
  /** In which the U-Net computes; absent for float32. */
  readonly precision?: Precision;
  /** SHA-256 of each prepared graph, by name. */
  readonly files: Readonly<Record<string, string>>;
}

export const MANIFEST_PATH = 'prepared/prepared.json';

const parts = ['unet', 'text_encoder', 'vae_encoder', 'vae_decoder'] as const;
type Part = (typeof parts)[number];

const stockPath = (part: Part) => `${part}/model.onnx`;

/** Fields of the parts' config.json that this reads; all of them only for sizes the graphs leave open. */
type Config = Readonly<Record<string, unknown>>;

/**
 * Prepared files by path from the model's folder. Throws AppError `onnx/…` when a graph is not of Stable
 * Diffusion's form, and whatever `read` throws for a missing file.
 */
export async function prepareModel(
  read: ReadFile,
  options: CompileOptions = DEFAULT_OPTIONS,
): Promise<Map<string, Uint8Array>> {
  const stock = new Map<Part, Uint8Array>();
  for (const part of parts) stock.set(part, await read(stockPath(part)));
  const configs = new Map<Part, Config>();
  for (const part of parts) configs.set(part, await readConfig(read, `${part}/config.json`));
  const { graphs, sizes } = compile(
    (part) => ({ bytes: stock.get(part)!, path: stockPath(part) }),
    (part) => configs.get(part)!,
    options,
  );
  const manifest: PreparedManifest = {
    compilerVersion: COMPILER_VERSION,
    sources: await hashAll([...stock].map(([part, bytes]) => [stockPath(part), bytes])),
    ...sizes,
    ...(options.precision === 'float16' && { precision: options.precision }),
    files: await hashAll([...graphs].map(([part, bytes]) => [`${part}.onnx`, bytes])),
  };
  const json = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
  const files = [...graphs].map(([part, bytes]) => [`prepared/${part}.onnx`, bytes] as const);
  return new Map([...files, [MANIFEST_PATH, json]]);
}

/** Whether `manifest` is of this compiler, of these sources and of the precision asked for. */
export async function isCurrent(
  manifest: PreparedManifest,
  read: ReadFile,
  { precision }: CompileOptions = DEFAULT_OPTIONS,
): Promise<boolean> {
  if ((manifest.precision ?? DEFAULT_OPTIONS.precision) !== precision) return false;
  if (manifest.compilerVersion !== COMPILER_VERSION) return false;
  for (const part of parts)
    if (manifest.sources[stockPath(part)] !== (await sha256Hex(await read(stockPath(part))))) return false;
  return true;
}

function compile(
  stock: (part: Part) => { bytes: Uint8Array; path: string },
  config: (part: Part) => Config,
  options: CompileOptions,
) {
  const text = prepareTextEncoder(stock('text_encoder'), {
    tokens: numberIn(config('text_encoder'), 'max_position_embeddings'),
  });
  const sizes = {
    latent: [numberIn(config('unet'), 'in_channels'), ...squareIn(config('unet'))].filter(
      (size) => size !== undefined,
    ),
    tokens: text.info.tokens,
    contextWidth: text.info.contextWidth,
  };
  const unet = prepareUnet(stock('unet'), sizes, options);
  const { latent } = unet.info;
  const picture = latent.slice(1).map((size) => size * enlargement(config('vae_decoder')));
  const colours = numberIn(config('vae_encoder'), 'in_channels');
  const encoder = prepareUnchanged(stock('vae_encoder'), { sample: [colours, ...picture] });
  const decoder = prepareUnchanged(stock('vae_decoder'), { latent_sample: latent });
  const graphs = new Map<Part, Uint8Array>([
    ['unet', unet.bytes],
    ['text_encoder', text.bytes],
    ['vae_encoder', encoder.bytes],
    ['vae_decoder', decoder.bytes],
  ]);
  return { graphs, sizes: unet.info };
}

/** Pixels along each side of a latent cell: every block of the VAE but one halves the picture. */
function enlargement({ block_out_channels: blocks }: Config): number {
  if (Array.isArray(blocks) && blocks.length) return 2 ** (blocks.length - 1);
  throw new AppError('onnx/config', 'expected block_out_channels in vae_decoder/config.json, found none');
}

/** `sample_size`, which is one number or height and width. */
function squareIn({ sample_size: size }: Config): number[] {
  if (Array.isArray(size)) return size.map(Number);
  return typeof size === 'number' ? [size, size] : [];
}

function numberIn(config: Config, name: string): number | undefined {
  const value = config[name];
  return typeof value === 'number' ? value : undefined;
}

async function readConfig(read: ReadFile, path: string): Promise<Config> {
  const text = new TextDecoder().decode(await read(path));
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Config;
  } catch (error) {
    throw new AppError('onnx/config', `expected JSON in ${path}, found something else`, { cause: error });
  }
  throw new AppError('onnx/config', `expected a JSON object in ${path}, found ${text.slice(0, 20)}`);
}

async function hashAll(files: readonly (readonly [string, Uint8Array])[]): Promise<Record<string, string>> {
  const hashes: [string, string][] = [];
  for (const [name, bytes] of files) hashes.push([name, await sha256Hex(bytes)]);
  return Object.fromEntries(hashes);
}
