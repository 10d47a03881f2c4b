/** An order of pictures: what the form asks for, read and checked, and the worker's request for it. */
import { AppError } from '../lib/errors.ts';
import type { GenerateRequest } from '../worker/api.ts';
import { maxGuidanceScale, maxSamplingSteps, minGuidanceScale } from '../neti/baseDefaults.ts';
import { readNumber } from './formSlice.ts';
import { requireValidPrompt } from './prompt.ts';
import type { ConceptRecord, ResultRecord, StudioState } from './state.ts';

/** What the pictures of an order share. */
export type Recipe = Omit<ResultRecord, 'id' | 'picture' | 'created' | 'version' | 'seed' | 'scores'>;

/** The concepts of a picture. */
export interface Cast {
  readonly concept: ConceptRecord | null;
  /** Gives the appearance when two concepts are mixed; `concept` then gives the geometry. */
  readonly appearance: ConceptRecord | null;
}

export interface Order {
  readonly recipe: Recipe;
  readonly cast: Cast;
  readonly seeds: readonly number[];
}

/** The concepts that the form chooses. An appearance without another concept's geometry is none. */
export function chosenCast({ concepts, form }: StudioState): Cast {
  const find = (id: string | null) => concepts.find((each) => each.id === id) ?? null;
  const concept = find(form.conceptId);
  const appearance = find(form.appearanceId);
  return { concept, appearance: concept === null || appearance === concept ? null : appearance };
}

/** Tokens that the prompt's mark takes: those of the concept with the most word vectors. */
export function vectorsOf({ concept, appearance }: Cast): number {
  return Math.max(1, concept?.word?.vectors ?? 1, appearance?.word?.vectors ?? 1);
}

/** Whether all of the concepts are textual inversions, which are alike at every truncation. */
export function isPlain({ concept, appearance }: Cast): boolean {
  const concepts = [concept, appearance].filter((each) => each !== null);
  return concepts.length > 0 && concepts.every((each) => each.word?.plain);
}

/** What the form asks for. Throws FieldError and `prompt.*`. */
export function readOrder(state: StudioState, randomSeed: () => number): Order {
  const { form, base } = state;
  const cast = chosenCast(state);
  const { concept, appearance } = cast;
  requireValidPrompt(form.prompt, concept?.name ?? null);
  const { negativePrompt, truncation, sampler, mixingStart } = form;
  const recipe = {
    ...{ conceptId: concept?.id ?? null, conceptName: concept?.name ?? '', baseId: base?.id ?? '' },
    mixing: appearance && { conceptId: appearance.id, conceptName: appearance.name, start: mixingStart },
    prompt: form.prompt.trim(),
    negativePrompt,
    steps: readNumber('steps', form.steps, {
      label: 'Sampling steps',
      from: 1,
      to: maxSamplingSteps,
      whole: true,
    }),
    guidanceScale: readNumber('guidanceScale', form.guidanceScale, {
      ...{ label: 'Guidance', from: minGuidanceScale, to: maxGuidanceScale, whole: false },
    }),
    truncation,
    sampler,
  };
  return { recipe, cast, seeds: readSeeds(state, randomSeed) };
}

function readSeeds({ form }: StudioState, randomSeed: () => number): number[] {
  const range = { label: 'The seed', from: 0, to: 2 ** 31 - 1, whole: true };
  const first = form.seed.trim() === '' ? randomSeed() : readNumber('seed', form.seed, range);
  return Array.from({ length: form.count }, (_, index) => first + index);
}

/** The starts, in %, that a sweep shows: from all the appearance there can be to none. */
export const sweptStarts: readonly number[] = [0, 20, 40, 60, 80, 100];

/** One order a start, all on the first seed. Throws `mixing.concepts` unless two concepts are chosen. */
export function sweepOf({ recipe, cast, seeds }: Order): Order[] {
  const { mixing } = recipe;
  if (mixing === null)
    throw new AppError(
      'mixing.concepts',
      'Choose two different concepts to mix: one gives the geometry, one the appearance.',
    );
  return sweptStarts.map((start) => ({
    ...{ cast, seeds: seeds.slice(0, 1) },
    recipe: { ...recipe, mixing: { ...mixing, start } },
  }));
}

const fileOf = async (record: ConceptRecord) => new Uint8Array(await record.file.arrayBuffer());

/** What the worker needs to make the pictures. */
export async function toRequest({ recipe, cast, seeds }: Order): Promise<GenerateRequest> {
  const { prompt, negativePrompt, truncation, steps, guidanceScale, sampler, mixing } = recipe;
  const { concept, appearance } = cast;
  return {
    ...{ prompt, negativePrompt, truncation, steps, guidanceScale, sampler, seeds },
    concept: concept && (await fileOf(concept)),
    mixing: appearance && mixing && { appearance: await fileOf(appearance), start: mixing.start / 100 },
  };
}
