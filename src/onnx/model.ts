/**
 * Prepares a whole model folder (Hugging Face ONNX layout): the four graphs under `prepared/`, and
 * `prepared/prepared.json` with the sizes found, the compiler's version and the hashes of sources and results.
 */
import { AppError } from '../lib/errors.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import {
  configPath,
  graphPath,
  NETWORKS,
  preparedManifest,
  preparedPath,
  type Network,
  type PreparedManifest,
} from '../lib/modelLayout.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { isBatch } from './dims.ts';
import { DEFAULT_OPTIONS, plannedPictures, type CompileOptions, type OnGraph } from './options.ts';
import { simulateMemory, type MemoryUse } from './plan/memory.ts';
import {
  COMPILER_VERSION,
  compileUnet,
  prepareTextEncoder,
  prepareUnchanged,
  prepareUnet,
  type Prepared,
  type UnetSizes,
} from './prepare.ts';
import { readModel } from './read.ts';
import { countWeights, isUnchanged, readStock, type Stock } from './stock.ts';
import { requireInput } from './surgery/edit.ts';
import type { TextShape } from './surgery/textEncoder.ts';

/** Fields of the parts' config.json that this reads; all of them only for sizes the graphs leave open. */
type Config = Readonly<Record<string, unknown>>;

/**
 * Prepared files by path from the model's folder. Throws AppError `onnx.…` when a graph is not of Stable
 * Diffusion's form, whatever `open` throws for a missing file, and what `onGraph` rejects with.
 */
export async function prepareModel(
  open: OpenFile,
  options: CompileOptions = DEFAULT_OPTIONS,
  onGraph: OnGraph = () => undefined,
): Promise<Map<string, Uint8Array>> {
  const read = await readParts(open);
  const { graphs, sizes } = await compile(read, options, onGraph);
  const planned = plannedPictures(options);
  const manifest: PreparedManifest = {
    compilerVersion: COMPILER_VERSION,
    sources: Object.fromEntries(Object.values(read).flatMap(({ stock }) => Object.entries(stock.sources))),
    weights: Object.fromEntries([...graphs].map(([part, { weights }]) => [part, weights])),
    ...sizes,
    ...(options.precision === 'float16' && { precision: options.precision }),
    ...(planned !== null && { picturesAtOnce: planned, activationBudget: options.activationBudget }),
    files: await hashAll([...graphs].map(([part, { bytes }]) => [`${part}.onnx`, bytes])),
  };
  const json = new TextEncoder().encode(`${JSON.stringify(manifest, null, 1)}\n`);
  const files = [...graphs].map(([part, { bytes }]) => [preparedPath(part), bytes] as const);
  return new Map([...files, [preparedManifest, json]]);
}

/** Memory of the U-Net's training step with what the text encoder keeps meanwhile, and the number of weights beside it. */
export interface TrainingPlan extends MemoryUse {
  /** Of the text encoder and the VAE, which compute in float32 whatever the U-Net does. */
  readonly otherWeights: number;
  /** The U-Net's pass for one guided picture: with its prompt and without, at once where that many pictures may be. */
  readonly drawing: MemoryUse;
}

const GUIDED_PASSES = 2;

/**
 * Plans a training step as `prepareModel` would compile it. Throws what that throws.
 * @param pictures of a pass, where `options` limit none
 */
export async function planTraining(
  open: OpenFile,
  options: CompileOptions,
  pictures: number,
  onGraph: OnGraph = () => undefined,
): Promise<TrainingPlan> {
  const { text_encoder: text, unet, ...vae } = await readParts(open);
  await onGraph('text_encoder');
  const { info } = prepareText(text, options);
  await onGraph('unet');
  const { graph, plan, shape } = compileUnet(unet.stock, unetSizes(info, unet.config), options);
  const use = plan ?? simulateMemory(graph, pictures);
  const batchIsNamed = options.activationBudget === undefined;
  const handedOn = info.bytesARow * shape.layers * (plannedPictures(options) ?? pictures);
  return {
    ...use,
    activationBytes: use.activationBytes + handedOn,
    drawing: simulateMemory(graph, Math.min(GUIDED_PASSES, plannedPictures(options) ?? Infinity), {
      batchIsNamed,
      gradients: false,
    }),
    otherWeights: [text, ...Object.values(vae)].reduce((sum, { stock }) => sum + countWeights(stock), 0),
  };
}

/** Whether `manifest` is of this compiler, of these sources, of the precision, the passes and the budget asked for. */
export async function isCurrent(
  manifest: PreparedManifest,
  open: OpenFile,
  options: CompileOptions = DEFAULT_OPTIONS,
): Promise<boolean> {
  if ((manifest.precision ?? DEFAULT_OPTIONS.precision) !== options.precision) return false;
  if ((manifest.picturesAtOnce ?? null) !== plannedPictures(options)) return false;
  if (manifest.activationBudget !== options.activationBudget) return false;
  if (manifest.compilerVersion !== COMPILER_VERSION) return false;
  for (const part of NETWORKS)
    if (!(await isUnchanged(manifest.sources, graphPath(part), open))) return false;
  return true;
}

/** What the compiler reads of a part. */
interface Source {
  readonly stock: Stock;
  readonly config: Config;
}

type Sources = Readonly<Record<Network, Source>>;

async function readParts(open: OpenFile): Promise<Sources> {
  const read = async (part: Network): Promise<Source> => {
    const stock = await readStock(graphPath(part), open);
    return { stock, config: await readConfig(open, part, stock) };
  };
  return {
    unet: await read('unet'),
    text_encoder: await read('text_encoder'),
    vae_encoder: await read('vae_encoder'),
    vae_decoder: await read('vae_decoder'),
  };
}

async function compile(sources: Sources, options: CompileOptions, onGraph: OnGraph) {
  const { vae_encoder: encoder, vae_decoder: decoder } = sources;
  await onGraph('text_encoder');
  const text = prepareText(sources.text_encoder, options);
  const sizes = unetSizes(text.info, sources.unet.config);
  await onGraph('unet');
  const unet = prepareUnet(sources.unet.stock, sizes, options);
  const { latent } = unet.info;
  const picture = latent.slice(1).map((size) => size * enlargement(decoder.config));
  const colours = numberIn(encoder.config, 'in_channels');
  const graphs = new Map<Network, Prepared<unknown>>([
    ['unet', unet],
    ['text_encoder', text],
  ]);
  await onGraph('vae_encoder');
  graphs.set('vae_encoder', prepareUnchanged(encoder.stock, { sample: [colours, ...picture] }));
  await onGraph('vae_decoder');
  graphs.set('vae_decoder', prepareUnchanged(decoder.stock, { latent_sample: latent }));
  return { graphs, sizes: { ...unet.info, handedOn: text.info.handedOn } };
}

function prepareText({ stock, config }: Source, options: CompileOptions): Prepared<TextShape> {
  return prepareTextEncoder(stock, { tokens: numberIn(config, 'max_position_embeddings') }, options);
}

function unetSizes({ tokens, contextWidth }: TextShape, config: Config): UnetSizes {
  const latent = [numberIn(config, 'in_channels'), ...squareIn(config)].filter((size) => size !== undefined);
  return { latent, tokens, contextWidth };
}

/** Pixels along each side of a latent cell: every block of the VAE but one halves the picture. */
function enlargement({ block_out_channels: blocks }: Config): number {
  if (Array.isArray(blocks) && blocks.length) return 2 ** (blocks.length - 1);
  throw new AppError('onnx.config', 'expected block_out_channels in vae_decoder/config.json, found none');
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

async function readConfig(open: OpenFile, part: Network, stock: Stock): Promise<Config> {
  const path = configPath(part);
  const value = (await readJson(open, path)) ?? usualConfig(part, stock);
  if (typeof value === 'object') return value as Config;
  throw new AppError('onnx.config', `expected a JSON object in ${path}, found ${typeof value}`);
}

/** Older exports have none: what their graphs leave open is then as in Stable Diffusion 1.x. */
function usualConfig(part: Network, stock: Stock): Config {
  if (part === 'vae_encoder') return { in_channels: 3 };
  if (part === 'vae_decoder') return { block_out_channels: [128, 256, 512, 512] };
  const input = part === 'unet' ? 'sample' : 'input_ids';
  const isOpen = requireInput(readModel(stock).inputs, input).dims.slice(1).some(isBatch);
  if (!isOpen) return {};
  return part === 'unet' ? { in_channels: 4, sample_size: 64 } : { max_position_embeddings: 77 };
}

async function hashAll(files: readonly (readonly [string, Uint8Array])[]): Promise<Record<string, string>> {
  const hashes: [string, string][] = [];
  for (const [name, bytes] of files) hashes.push([name, await sha256Hex(bytes)]);
  return Object.fromEntries(hashes);
}
