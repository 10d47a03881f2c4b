/** An order of pictures: what the form asks for, read and checked. */
import { AppError } from '../lib/errors.ts';
import { readNumber, SEED_RANGE } from './fields.ts';
import { checkMarks, hasPlaceholder, namesOf } from '../lib/prompt.ts';
import { callConcept, type Callable } from './calledConcepts.ts';
import { allOf, chosenConcepts, conceptAt, hiddenUnits, type PictureConcepts } from './pictureConcepts.ts';
import { readSettings, type NamedRecipe } from './recipe.ts';
import type { StudioState } from './state.ts';
import { isCurrent, sweepAround } from './sweep.ts';
import { stopsOf } from './truncationRenders.ts';
import type { PictureSeries } from './truncationSeries.ts';

export interface Order {
  /** What the pictures share. */
  readonly recipe: Omit<NamedRecipe, 'seed'>;
  readonly concepts: PictureConcepts;
  readonly seeds: readonly number[];
}

/** What the form asks for. Throws FieldError and `prompt.*`. */
export function readOrder(state: StudioState, randomSeed: () => number): Order {
  return withCalled(state, draftOrder(state, randomSeed));
}

/** The same with the chosen concept, whether or not the prompt has it, and before any is called by name. Throws FieldError and `prompt.*`. */
export function draftOrder(state: StudioState, randomSeed: () => number): Order {
  const { form, base } = state;
  const { concept, appearance } = chosenConcepts(state);
  const shown = concept && conceptAt(concept, form.trainedStep);
  const concepts = { concept: shown, appearance, named: [] };
  const recipe = {
    ...readSettings(form),
    baseId: base?.id ?? '',
    conceptId: concept?.id ?? null,
    conceptName: concept?.name ?? '',
    named: [],
    // A preview that is gone is not the one that would be drawn.
    trainedStep: shown !== concept ? form.trainedStep : null,
    mixing: appearance && {
      conceptId: appearance.id,
      conceptName: appearance.name,
      start: form.mixingStart,
    },
  };
  return { recipe, concepts, seeds: readSeeds(state, randomSeed) };
}

/** The order with the concepts that its prompt has, and no others. Throws `prompt.*`. */
export function withCalled(state: Callable, { recipe, concepts, seeds }: Order): Order {
  const { prompt } = recipe;
  checkMarks(prompt, concepts.concept && `“${concepts.concept.name}”`);
  const named = namesOf(prompt).map((name) => callConcept(state, name));
  const shown = { ...(hasPlaceholder(prompt) ? concepts : withoutChosen(concepts)), named };
  const truncation = Math.min(recipe.truncation, hiddenUnits(shown) ?? recipe.truncation);
  const own = shown.concept
    ? recipe
    : { ...recipe, conceptId: null, conceptName: '', trainedStep: null, focus: null, mixing: null };
  const called = named.map(({ id, name }) => ({ conceptId: id, name }));
  return { recipe: { ...own, truncation, named: called }, concepts: shown, seeds };
}

function withoutChosen({ appearance, named }: PictureConcepts): PictureConcepts {
  if (appearance === null) return { concept: null, appearance, named };
  throw new AppError(
    'prompt.mixing',
    'Two concepts are mixed at {}, and the prompt has none. Put {} where they belong, or choose no appearance concept.',
  );
}

function readSeeds({ form }: StudioState, randomSeed: () => number): number[] {
  const first = form.seed.trim() === '' ? randomSeed() : readNumber('seed', form.seed, SEED_RANGE);
  return Array.from({ length: form.count }, (_, index) => first + index);
}

/** The starts, in %, that a sweep shows: from all the appearance there can be to none. */
export const SWEPT_STARTS: readonly number[] = [0, 20, 40, 60, 80, 100];

/** One order a start, all on the first seed. Throws `mixing.concepts` unless two concepts are chosen. */
export function sweepOf({ recipe, concepts, seeds }: Order): Order[] {
  const { mixing } = recipe;
  if (mixing === null)
    throw new AppError(
      'mixing.concepts',
      'Choose two different concepts to mix: one gives the geometry, one the appearance.',
    );
  return SWEPT_STARTS.map((start) => ({
    recipe: { ...recipe, mixing: { ...mixing, start } },
    concepts,
    seeds: seeds.slice(0, 1),
  }));
}

/** One order a stop of the truncation slider, on the series' own seed, but for what is among the results already. */
export function truncationsOf(
  { results }: StudioState,
  { result, concepts, hidden }: PictureSeries,
): readonly Order[] {
  const row = sweepAround(results, result, 'truncation');
  const made = row.filter((each) => isCurrent(each, allOf(concepts)));
  const missing = stopsOf(hidden).filter((stop) => made.every(({ truncation }) => truncation !== stop));
  return missing
    .toSorted((a, b) => a - b)
    .map((truncation) => ({ recipe: { ...result, truncation }, concepts, seeds: [result.seed] }));
}
