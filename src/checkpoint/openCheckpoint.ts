/**
 * A checkpoint of PyTorch as a model folder in the Hugging Face ONNX layout: the graphs are written when they are asked for, and
 * their weights are the user's own files, by offset. Nothing of a checkpoint is copied or read but its headers.
 */
import { AppError } from '../lib/errors.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import {
  CHECKPOINT_FOLDER,
  configPath,
  graphPath,
  layout,
  NETWORKS,
  type Network,
} from '../lib/modelLayout.ts';
import type { SafetensorsHeader } from '../lib/safetensors.ts';
import { writeClipText } from './clipText.ts';
import { recognise, textConfig, unetConfig, vaeConfig, type Config } from './config.ts';
import { readCheckpointHeader, refuseOthers } from './refusals.ts';
import { clipTensors, splitCheckpoint, vaeTensors, type Tensors } from './ldmNames.ts';
import { writeUnet } from './unet.ts';
import { writeVaeDecoder, writeVaeEncoder } from './vae.ts';
import { Weights, type Weight } from './weights.ts';

/** What one network's graph is written from. */
interface Part {
  readonly weights: Weights;
  readonly config: Config;
  /** The files in which the weights lie, by the names that the graph gives them. */
  readonly files: ReadonlyMap<string, string>;
}

type Parts = Readonly<Record<'unet' | 'text' | 'vae', Part>>;

const PART_OF = { unet: 'unet', text_encoder: 'text', vae_encoder: 'vae', vae_decoder: 'vae' } as const;

export const isWeights = (path: string) => path.endsWith('.safetensors');

/** Whether the files are of a checkpoint, rather than of an ONNX model. */
export function isCheckpoint(paths: readonly string[]): boolean {
  return !paths.includes(graphPath('unet')) && paths.some(isWeights);
}

/**
 * Opens what `paths` lists: one file as `checkpoint.safetensors`, or a folder of diffusers, of which each part's weights are in one
 * precision. Throws what `readCheckpointHeader` and `refuseOthers` throw, `checkpoint.vae` for a file without a VAE, `checkpoint.weight`, `checkpoint.shape` and
 * `checkpoint.config`; the last three also when a graph is asked for.
 */
export async function openCheckpoint(paths: readonly string[], open: OpenFile): Promise<OpenFile> {
  const parts = paths.includes(layout.checkpoint)
    ? await readSingle(paths, open)
    : await readFolder(paths, open);
  const graphs = new Map<string, Blob>();
  return (path) => {
    const network = NETWORKS.find((name) => path.startsWith(`${name}/`));
    if (!network) return open(path);
    const { files, config } = parts[PART_OF[network]];
    if (path === configPath(network)) return Promise.resolve(jsonFile(config));
    const file = files.get(path.slice(network.length + 1));
    if (file !== undefined) return open(file);
    if (path !== graphPath(network)) return open(path);
    const graph = graphs.get(path) ?? new Blob([new Uint8Array(writeGraph(network, parts))]);
    graphs.set(path, graph);
    return Promise.resolve(graph);
  };
}

const jsonFile = (value: object) => new Blob([JSON.stringify(value)], { type: 'application/json' });

function writeGraph(network: Network, { unet, text, vae }: Parts): Uint8Array {
  const { tokens, ...words } = textConfig(text.config, text.weights);
  if (network === 'text_encoder') return writeClipText(text.weights, { tokens, ...words });
  const sizes = unetConfig(unet.config, unet.weights);
  if (network === 'unet') return writeUnet(unet.weights, sizes, tokens);
  const own = vaeConfig(vae.config, vae.weights);
  if (network === 'vae_decoder') return writeVaeDecoder(vae.weights, own, sizes.size);
  return writeVaeEncoder(vae.weights, own, sizes.size * own.enlargement);
}

/** The file's own configuration would be with its maker: what is not recognised is what `unet/config.json` says beside it. */
async function readSingle(paths: readonly string[], open: OpenFile): Promise<Parts> {
  const { tensors } = await readOwn(open, layout.checkpoint);
  const { unet, text, vae, isOpenClip } = splitCheckpoint(tensors);
  const files = new Map([[layout.checkpoint, layout.checkpoint]]);
  const part = (network: string, own: Tensors, recognised: (weights: Weights) => Config): Part => {
    const weights = new Weights(network, placedIn(own, layout.checkpoint));
    return { weights, config: recognised(weights), files };
  };
  const beside = (await readJson(open, configPath('unet'))) as Config | null;
  return {
    unet: part('the U-Net', unet, (weights) => ({ ...recognise.unet(weights, isOpenClip), ...beside })),
    text: part('the text encoder', text, (weights) => recognise.text(weights, isOpenClip)),
    vae: vae.size ? part('the VAE', vae, recognise.vae) : await readOtherVae(paths, open),
  };
}

async function readOtherVae(paths: readonly string[], open: OpenFile): Promise<Part> {
  const path = layout.otherVae;
  if (!paths.includes(path))
    throw new AppError(
      'checkpoint.vae',
      'This file has no VAE, which makes pictures of what the model draws. Choose a VAE’s .safetensors together with it, such as vae-ft-mse-840000-ema-pruned.',
    );
  const { tensors } = await readOwn(open, path);
  const weights = new Weights('the VAE', placedIn(vaeTensors(tensors), path));
  return { weights, config: recognise.vae(weights), files: new Map([[path, path]]) };
}

async function readFolder(paths: readonly string[], open: OpenFile): Promise<Parts> {
  const read = async (
    network: Network,
    title: string,
    renamed: (tensors: Tensors) => Tensors,
  ): Promise<Part> => {
    const folder = CHECKPOINT_FOLDER[network];
    const found = paths.filter((path) => isWeights(path) && path.startsWith(`${folder}/`));
    const headers = await Promise.all(found.map(async (path) => [path, await readOwn(open, path)] as const));
    const placed = headers.map(([path, { tensors }]) => placedIn(renamed(tensors), nameOf(path)));
    const config = (await readJson(open, configPath(folder))) ?? {};
    return {
      weights: new Weights(title, new Map(placed.flatMap((own) => [...own]))),
      config: config as Config,
      files: new Map(found.map((path) => [nameOf(path), path])),
    };
  };
  return {
    unet: await read('unet', 'the U-Net', (tensors) => tensors),
    text: await read('text_encoder', 'the text encoder', clipTensors),
    vae: await read('vae_decoder', 'the VAE', vaeTensors),
  };
}

/** Throws what `readCheckpointHeader` and `refuseOthers` throw. */
async function readOwn(open: OpenFile, path: string): Promise<SafetensorsHeader> {
  const header = await readCheckpointHeader(await open(path), path);
  refuseOthers(header.tensors, path);
  return header;
}

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function placedIn(tensors: Tensors, location: string): Map<string, Weight> {
  return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, location }]));
}
