/**
 * Learned concepts in a prompt, for sampling: the mappers and the text encoder run for every (timestep of the sampler,
 * cross-attention layer) at which the concepts' words differ; the contexts do not depend on the seed, so they serve any number of pictures.
 */
import { weighContexts } from '../diffusion/contextWeights.ts';
import { Tape } from '../gpu/tape.ts';
import { AppError } from '../lib/errors.ts';
import type { Pipeline } from '../diffusion/pipeline.ts';
import type { PromptContexts } from '../diffusion/sampling.ts';
import type { TokenRow } from '../diffusion/tokenizer.ts';
import type { Bridge } from './bridge.ts';
import { frozenPlace, type Focus } from './focus.ts';
import type { Mapper, MapperOutput } from './mapper.ts';
import { textPasses, type TextSides } from './textPasses.ts';

/** Timesteps a call of the text encoder: bounds its activations. */
const CHUNK = 8;

/** A concept as a prompt shows it. */
export interface ShownConcept {
  readonly mapper: Mapper;
  /** Hidden units kept, 1 … hidden. */
  readonly truncation: number;
  /** Outside it the concept is frozen. */
  readonly frozen?: Focus | null;
}

export interface ConceptPrompt {
  /** A row whose marks have as many tokens as their concepts have vectors. */
  readonly row: TokenRow;
  /** One a mark, in order; the very same one where it stands again. */
  readonly concepts: readonly ShownConcept[];
  /** The sampler's timesteps. */
  readonly timesteps: readonly number[];
  readonly signal?: AbortSignal;
}

type Place = readonly [timestep: number, layer: number];

/**
 * Contexts [L, T, D] of every sampler step. Throws `cancelled` between calls of the text encoder when the signal
 * says so.
 */
export async function conceptContexts(
  pipeline: Pipeline,
  bridge: Bridge,
  { row, concepts, timesteps, signal }: ConceptPrompt,
): Promise<PromptContexts> {
  const { layers, tokens, contextWidth } = pipeline.shape;
  const all = timesteps.flatMap((timestep) =>
    Array.from({ length: layers }, (_, layer): Place => [timestep, layer]),
  );
  const { distinct, indices } = distinctPlaces(concepts, all);
  const size = tokens * contextWidth;
  const [keys, values] = [new Float32Array(all.length * size), new Float32Array(all.length * size)];
  for (let start = 0; start < distinct.length; start += CHUNK * layers) {
    if (signal?.aborted) throw new AppError('cancelled', 'The pictures were cancelled.');
    const places = distinct.slice(start, start + CHUNK * layers);
    const read = await encodePlaces(pipeline, bridge, row, concepts, places);
    for (const [i, place] of indices.entries()) {
      if (place < start || place >= start + places.length) continue;
      const [from, to] = [(place - start) * size, (place - start + 1) * size];
      keys.set(read.keys.subarray(from, to), i * size);
      values.set(read.values.subarray(from, to), i * size);
    }
  }
  weighContexts(keys, row.weights, contextWidth);
  weighContexts(values, row.weights, contextWidth);
  const at = (data: Float32Array, index: number) =>
    data.subarray(index * layers * size, (index + 1) * layers * size);
  return (index) => ({ keys: at(keys, index), values: at(values, index) });
}

/** The places at which some concept has another word than at those before, and for each of all places which of them it is like. */
function distinctPlaces(
  concepts: readonly ShownConcept[],
  all: readonly Place[],
): { distinct: readonly Place[]; indices: readonly number[] } {
  const known = new Map<string, number>();
  const distinct: Place[] = [];
  const indices = all.map((place) => {
    const key = concepts.map((concept) => wordAt(concept, place)).join(' ');
    const index = known.get(key) ?? distinct.push(place) - 1;
    known.set(key, index);
    return index;
  });
  return { distinct, indices };
}

/** Equal for places at which the concept is the same word. */
function wordAt({ mapper: { config }, frozen }: ShownConcept, place: Place): string {
  const [timestep, layer] = placeOf(frozen, place);
  return `${config.time ? timestep : ''},${config.space ? layer : ''}`;
}

const placeOf = (frozen: Focus | null | undefined, [timestep, layer]: Place): Place =>
  frozen ? frozenPlace(frozen, timestep, layer) : [timestep, layer];

/** Contexts [places, T, D] of a few places. */
async function encodePlaces(
  pipeline: Pipeline,
  bridge: Bridge,
  row: TokenRow,
  concepts: readonly ShownConcept[],
  places: readonly Place[],
): Promise<TextSides> {
  const tape = new Tape(bridge.backend);
  try {
    const outputs = new Map(concepts.map((concept) => [concept, wordsAt(tape, concept, places)] as const));
    const words = concepts.map((concept) => outputs.get(concept)!);
    return await textPasses(pipeline, bridge, tape, { row, words, rows: places.length });
  } finally {
    tape.dispose();
  }
}

function wordsAt(
  tape: Tape,
  { mapper, truncation, frozen }: ShownConcept,
  places: readonly Place[],
): MapperOutput {
  const own = places.map((place) => placeOf(frozen, place));
  const [timesteps, layers] = [own.map(([timestep]) => timestep), own.map(([, layer]) => layer)];
  return mapper.forward(tape, timesteps, layers, truncation);
}
