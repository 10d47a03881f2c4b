/**
 * The shape of a NeTI mapper (arXiv 2305.15391, section 4 and its appendix on architecture) and the tensors that
 * follow from it, under the names of the official implementation.
 */
import { AppError } from '../lib/errors.ts';

/** Most word vectors of a concept: as many words as a prompt of Stable Diffusion has room for. */
export const MAX_VECTORS = 75;

/** Diffusion timesteps of the base models the method is made for. */
export const TIMESTEPS = 1000;

export interface MapperConfig {
  /** Cross-attention layers of the U-Net. */
  readonly layers: number;
  /** Width D of the text encoder's token embeddings. */
  readonly contextWidth: number;
  /** Timesteps the input layer is anchored at; a divisor of 1000. */
  readonly timeAnchors: number;
  readonly hidden: number;
  readonly fourierFeatures: number;
  /** Standard deviations of the Fourier frequencies along timesteps and along layers. */
  readonly sigmaTime: number;
  readonly sigmaLayer: number;
  /** A second output half that bypasses the text encoder. */
  readonly textualBypass: boolean;
  /** L2 norm of an output row, both halves together (that of the super-category's embedding); null: as it comes. */
  readonly normScale: number | null;
  readonly positionalEncoding: boolean;
  /** Probability that nested dropout strikes a call of the mapper in training. */
  readonly nestedDropout: number;
  /** Whether the vector may differ between timesteps, and between layers. */
  readonly time: boolean;
  readonly space: boolean;
  /** False: no network, but a plain learned vector, one for each layer when `space` is set (see variants.ts). */
  readonly network: boolean;
  /** Word vectors of the concept, each for a token of its own; more than one only without a network. */
  readonly vectors: number;
}

/** What a network may have more or less of. */
export type MapperSizes = Pick<MapperConfig, 'hidden' | 'fourierFeatures' | 'timeAnchors'>;

/** The official settings; `layers`, `contextWidth` and `normScale` follow from the base model. */
export const MAPPER_DEFAULTS = {
  timeAnchors: 10,
  hidden: 128,
  fourierFeatures: 1024,
  sigmaTime: 0.03,
  sigmaLayer: 2,
  textualBypass: true,
  positionalEncoding: true,
  nestedDropout: 0.5,
  time: true,
  space: true,
  network: true,
  vectors: 1,
} as const;

/** Throws `mapper.config` unless the numbers make a mapper. */
export function checkConfig(config: MapperConfig): void {
  const sizes = ['layers', 'contextWidth', 'timeAnchors', 'hidden', 'fourierFeatures', 'vectors'] as const;
  for (const name of sizes) {
    if (Number.isSafeInteger(config[name]) && config[name] >= 1) continue;
    throw new AppError(
      'mapper.config',
      `${name} must be a whole number of at least 1, found ${config[name]}.`,
    );
  }
  if (TIMESTEPS % config.timeAnchors !== 0) {
    throw new AppError(
      'mapper.config',
      `The number of time anchors must divide ${TIMESTEPS}, found ${config.timeAnchors}. Take 1, 2, 4, 5, 8, 10, 20 or 25.`,
    );
  }
  if (config.normScale !== null && !(config.normScale > 0 && Number.isFinite(config.normScale))) {
    throw new AppError(
      'mapper.config',
      `The output norm must be positive or off, found ${config.normScale}.`,
    );
  }
  if (!(config.nestedDropout >= 0 && config.nestedDropout <= 1)) {
    throw new AppError(
      'mapper.config',
      `The probability of nested dropout must lie in 0…1, found ${config.nestedDropout}.`,
    );
  }
  if (!config.network) checkTable(config);
  if (config.network && config.vectors !== 1) {
    throw new AppError('mapper.config', `A network gives one word vector, found ${config.vectors}.`);
  }
}

/** Throws `concept.vectors` unless a prompt of `tokens` tokens, start and end among them, has room for the concept's vectors. */
export function checkRoom(vectors: number, tokens: number): void {
  const room = Math.min(MAX_VECTORS, tokens - 2);
  if (vectors <= room) return;
  throw new AppError(
    'concept.vectors',
    `This concept has ${vectors} word vectors, each of which takes a token's place in the prompt, and the open model's prompts ` +
      `have room for ${room}. Take a concept of fewer vectors.`,
  );
}

function checkTable({ textualBypass, normScale, nestedDropout, time }: MapperConfig): void {
  if (!textualBypass && normScale === null && nestedDropout === 0 && !time) return;
  throw new AppError(
    'mapper.config',
    'Plain vectors cannot depend on time, nor have a bypass, a norm or nested dropout: switch these off or the network on.',
  );
}

/** Number of vectors of a mapper without a network: all of a layer next to each other. */
export function tableRows({ space, layers, vectors }: MapperConfig): number {
  return (space ? layers : 1) * vectors;
}

/** Whether the vectors are the same at every timestep and layer, as a textual inversion's: there is nothing to truncate. */
export function isPlainWord({ network, space }: MapperConfig): boolean {
  return !network && !space;
}

/** Width of the encoded input: sine and cosine of every frequency, or timestep and layer as they are. */
export function encodedWidth(config: MapperConfig): number {
  return config.positionalEncoding ? 2 * config.fourierFeatures : 2;
}

/** Trained tensors in order, `[outputs, inputs]` for weights of linear layers. */
export function parameterShapes(config: MapperConfig): ReadonlyMap<string, readonly number[]> {
  return config.network
    ? networkShapes(config)
    : new Map([['vectors', [config.contextWidth, tableRows(config)]]]);
}

function networkShapes(config: MapperConfig): Map<string, readonly number[]> {
  const { layers, timeAnchors, hidden, contextWidth, textualBypass, positionalEncoding } = config;
  const anchors = timeAnchors * layers;
  const output = (textualBypass ? 2 : 1) * contextWidth;
  const input: [string, number[]][] = [
    ['input_layer.weight', [anchors, encodedWidth(config)]],
    ['input_layer.bias', [anchors]],
  ];
  return new Map<string, number[]>([
    ...(positionalEncoding ? input : []),
    ['net.1.weight', [hidden, positionalEncoding ? anchors : 2]],
    ['net.1.bias', [hidden]],
    ['net.2.weight', [hidden]],
    ['net.2.bias', [hidden]],
    ['net.4.weight', [hidden, hidden]],
    ['net.4.bias', [hidden]],
    ['net.5.weight', [hidden]],
    ['net.5.bias', [hidden]],
    ['output_layer.0.weight', [output, hidden]],
    ['output_layer.0.bias', [output]],
  ]);
}

/** The tensors of `parameterShapes` and the frozen frequencies `encoder.w`, which a concept needs as well. */
export function stateShapes(config: MapperConfig): ReadonlyMap<string, readonly number[]> {
  const frequencies: [string, number[]][] = [['encoder.w', [config.fourierFeatures, 2]]];
  const encoded = config.network && config.positionalEncoding;
  return new Map([...(encoded ? frequencies : []), ...parameterShapes(config)]);
}
