/**
 * A learned concept in a prompt, for sampling: the mapper and the text encoder run once for every (timestep of the
 * sampler, cross-attention layer); the contexts do not depend on the seed, so they serve any number of pictures.
 */
import { weighContexts } from '../diffusion/contextWeights.ts';
import { Tape } from '../gpu/tape.ts';
import { AppError } from '../lib/errors.ts';
import type { Pipeline } from '../diffusion/pipeline.ts';
import type { PromptContexts } from '../diffusion/sampling.ts';
import type { TokenRow } from '../diffusion/tokenizer.ts';
import { floats } from '../ort/runtime.ts';
import { conceptRows, type Bridge } from './bridge.ts';
import { frozenPlace, type Focus } from './focus.ts';
import type { Mapper } from './mapper.ts';

/** Timesteps a call of the text encoder: bounds its activations. */
const CHUNK = 8;

export interface ConceptPrompt {
  /** A row with a placeholder of as many tokens as the concept has vectors. */
  readonly row: TokenRow;
  readonly mapper: Mapper;
  /** Hidden units kept, 1 … hidden. */
  readonly truncation: number;
  /** The sampler's timesteps. */
  readonly timesteps: readonly number[];
  /** Outside it the concept is frozen. */
  readonly frozen?: Focus | null;
  readonly signal?: AbortSignal;
}

/**
 * Contexts [L, T, D] of every sampler step. Throws `cancelled` between calls of the text encoder when the signal
 * says so.
 */
export async function conceptContexts(
  pipeline: Pipeline,
  bridge: Bridge,
  { timesteps, signal, ...prompt }: ConceptPrompt,
): Promise<PromptContexts> {
  const { layers, tokens, contextWidth } = pipeline.shape;
  const size = layers * tokens * contextWidth;
  const keys = new Float32Array(timesteps.length * size);
  const values = new Float32Array(timesteps.length * size);
  for (let start = 0; start < timesteps.length; start += CHUNK) {
    if (signal?.aborted) throw new AppError('cancelled', 'The pictures were cancelled.');
    const part = timesteps.slice(start, start + CHUNK);
    const encoded = await encodeTimesteps(pipeline, bridge, { ...prompt, timesteps: part });
    keys.set(encoded.keys, start * size);
    values.set(encoded.values, start * size);
  }
  weighContexts(keys, prompt.row.weights, contextWidth);
  weighContexts(values, prompt.row.weights, contextWidth);
  const at = (data: Float32Array, index: number) => data.subarray(index * size, (index + 1) * size);
  return (index) => ({ keys: at(keys, index), values: at(values, index) });
}

/** Contexts [timesteps, L, T, D] of a few timesteps. */
async function encodeTimesteps(
  pipeline: Pipeline,
  bridge: Bridge,
  { row, mapper, truncation, timesteps, frozen }: ConceptPrompt,
): Promise<{ keys: Float32Array; values: Float32Array }> {
  const { layers } = pipeline.shape;
  const rows = timesteps.length * layers;
  const tape = new Tape(bridge.backend);
  try {
    const places = timesteps.flatMap((timestep) =>
      Array.from({ length: layers }, (_, layer) =>
        frozen ? frozenPlace(frozen, timestep, layer) : ([timestep, layer] as const),
      ),
    );
    const [rowTimesteps, rowLayers] = [
      places.map(([timestep]) => timestep),
      places.map(([, layer]) => layer),
    ];
    const output = mapper.forward(tape, rowTimesteps, rowLayers, truncation);
    const promptRows = Array.from({ length: rows }, () => row);
    const contexts = await pipeline.encodeText(promptRows, conceptRows(bridge, tape, output, rows));
    const read = { keys: await floats(contexts.keys), values: await floats(contexts.values) };
    contexts.keys.dispose();
    contexts.values.dispose();
    return read;
  } finally {
    tape.dispose();
  }
}
