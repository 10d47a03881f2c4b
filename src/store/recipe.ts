/**
 * A picture's recipe on the page: from the form to the recipe and back, to the worker's request, and to the text that travels
 * inside a PNG (AUTOMATIC1111's `parameters` convention). The fields themselves are listed in storage/recipe.ts.
 */
import { AppError } from '../lib/errors.ts';
import { markOf, marksOf, replaceMarks } from '../lib/prompt.ts';
import { MAX_GUIDANCE_SCALE, MAX_SAMPLING_STEPS, MIN_GUIDANCE_SCALE } from '../neti/limits.ts';
import type { Focus } from '../neti/focus.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { settingsOf, type PictureForm, type PictureSettings, type Recipe } from '../storage/recipe.ts';
import type { ConceptSource, GenerateRequest } from '../worker/api.ts';
import { FieldError, readNumber } from './fields.ts';
import type { PictureConcepts } from './pictureConcepts.ts';
import { samplers } from '../diffusion/samplers/table.ts';
import type { ConceptRecord, Form, ResultRecord } from './state.ts';

/** A recipe with the names that its concepts had. */
export type NamedRecipe = Recipe & Pick<ResultRecord, 'conceptName' | 'mixing'>;

export const emptyPictureForm: PictureForm = {
  prompt: 'A photo of {} on a beach',
  negativePrompt: '',
  steps: '',
  guidanceScale: '',
  truncation: MAPPER_DEFAULTS.hidden,
  sampler: 'dpm-solver++-2m',
  seed: '',
  conceptId: null,
  appearanceId: null,
  mixingStart: 40,
  focus: null,
  trainedStep: null,
};

const STEPS_RANGE = { label: 'Sampling steps', from: 1, to: MAX_SAMPLING_STEPS, whole: true };
const guidanceRange = { label: 'Guidance', from: MIN_GUIDANCE_SCALE, to: MAX_GUIDANCE_SCALE, whole: false };

/** The settings that the form asks for. Throws FieldError and `prompt.empty`. */
export function readSettings(form: Form): PictureSettings {
  if (form.prompt.trim() === '')
    throw new AppError('prompt.empty', 'The prompt is empty. Say what the picture should show.');
  const [name] = marksOf(form.negativePrompt);
  if (name !== undefined)
    throw new FieldError(
      'negativePrompt',
      'prompt.negative',
      `The negative prompt names what to leave out, in words; {${name}} stands for a concept, which only the prompt can name.`,
    );
  return settingsOf({
    ...form,
    prompt: form.prompt.trim(),
    steps: readNumber('steps', form.steps, STEPS_RANGE),
    guidanceScale: readNumber('guidanceScale', form.guidanceScale, guidanceRange),
  });
}

/** The form's fields for pictures like this one; `nameOf` tells what a concept is called by now, or null where it is gone. */
export function formOf(recipe: Recipe, nameOf: (conceptId: string) => string | null): Partial<PictureForm> {
  const { conceptId, mixing, seed, trainedStep } = recipe;
  const isThere = (id: string) => nameOf(id) !== null;
  const chosen = conceptId !== null && isThere(conceptId) ? { conceptId } : {};
  const appearanceId = mixing !== null && isThere(mixing.conceptId) ? mixing.conceptId : null;
  const start = mixing === null ? {} : { mixingStart: mixing.start };
  return {
    ...typed(settingsOf(recipe)),
    prompt: withNames(recipe, nameOf),
    seed: `${seed}`,
    ...chosen,
    appearanceId,
    trainedStep,
    ...start,
  };
}

/** A concept that was renamed is called by its new name. */
function withNames({ prompt, named }: Recipe, nameOf: (conceptId: string) => string | null): string {
  const called = [...named];
  return replaceMarks(prompt, (name) => {
    const id = name === '' ? undefined : called.shift()?.conceptId;
    return markOf((id && nameOf(id)) ?? name);
  });
}

/** Numbers become texts where the form has texts. */
function typed(settings: PictureSettings): Partial<PictureForm> {
  const isTyped = (field: string) => typeof emptyPictureForm[field as keyof PictureSettings] === 'string';
  const fields = Object.entries(settings);
  return Object.fromEntries(fields.map(([field, value]) => [field, isTyped(field) ? `${value}` : value]));
}

const keys = new WeakMap<Blob, string>();
let keyCount = 0;

/** A concept's file with a key of its own: the worker reads it once, however often it is drawn with. */
export function sourceOf({ file }: Pick<ConceptRecord, 'file'>): ConceptSource {
  const key = keys.get(file) ?? `${++keyCount}`;
  keys.set(file, key);
  return { key, file };
}

/** What the worker needs to draw the recipe once for each seed. */
export function toRequest(
  recipe: Omit<Recipe, 'seed'>,
  { concept, appearance, named }: PictureConcepts,
  seeds: readonly number[],
): GenerateRequest {
  const { mixing } = recipe;
  return {
    ...settingsOf(recipe),
    seeds,
    concept: concept && sourceOf(concept),
    named: named.map(sourceOf),
    mixing: appearance && mixing && { appearance: sourceOf(appearance), start: mixing.start / 100 },
  };
}

/** The concepts of a picture, each once. */
export function conceptNames({ conceptName, named }: Pick<NamedRecipe, 'conceptName' | 'named'>): string {
  const names = [conceptName, ...named.map(({ name }) => name)].filter((name) => name !== '');
  return [...new Set(names)].join(', ');
}

const quoted = (value: string) => (/[,:"\n]/.test(value) ? JSON.stringify(value) : value);

/** The `parameters` text of a picture that was drawn on the given base. */
export function pngText(
  recipe: NamedRecipe,
  base: { readonly resolution: number; readonly hash: string },
): string {
  const { prompt, negativePrompt, conceptName, named, mixing } = recipe;
  const fields: [string, string | number][] = [
    ['Steps', recipe.steps],
    ['Sampler', samplers[recipe.sampler].pngName],
    ['CFG scale', recipe.guidanceScale],
    ['Seed', recipe.seed],
    ['Size', `${base.resolution}x${base.resolution}`],
    ['Model hash', base.hash.slice(0, 10)],
    ['Model', quoted(recipe.baseId)],
  ];
  if (conceptName !== '') fields.push(['NeTI concept', quoted(conceptName)]);
  if (named.length > 0)
    fields.push(['NeTI concepts by name', quoted(conceptNames({ conceptName: '', named }))]);
  if (conceptName !== '' || named.length > 0) fields.push(['NeTI truncation', recipe.truncation]);
  if (recipe.trainedStep !== null) fields.push(['NeTI training step', recipe.trainedStep]);
  if (mixing)
    fields.push(['NeTI appearance', quoted(mixing.conceptName)], ['NeTI mixing start', `${mixing.start}%`]);
  if (recipe.focus) fields.push(['NeTI focus', quoted(focusWords(recipe.focus, 'the category word'))]);
  const negative = negativePrompt === '' ? [] : [`Negative prompt: ${negativePrompt}`];
  return [prompt, ...negative, fields.map(([key, value]) => `${key}: ${value}`).join(', ')].join('\n');
}

/** A part of a concept's space-time in words; layers count from 1. */
export function focusWords(
  { fromTimestep, toTimestep, fromLayer, toLayer, outside }: Focus,
  word: string,
): string {
  const layers =
    fromLayer === toLayer ? `layer ${fromLayer + 1}` : `layers ${fromLayer + 1} to ${toLayer + 1}`;
  const rest = outside === 'frozen' ? 'frozen outside' : `${word} outside`;
  return `timesteps ${fromTimestep} to ${toTimestep}, ${layers}, ${rest}`;
}

/** How a picture was made, as the page tells it: terms and values. */
export function recipeDetails(recipe: NamedRecipe): readonly (readonly [string, string | number])[] {
  const { mixing, negativePrompt } = recipe;
  const appearance = mixing && (['Appearance', `${mixing.conceptName} from ${mixing.start} %`] as const);
  return [
    ['Concept', conceptNames(recipe) || 'none'],
    ...(recipe.trainedStep === null ? [] : [['Training step', recipe.trainedStep] as const]),
    ...(appearance ? [appearance] : []),
    ...(recipe.focus ? [['Focus', focusWords(recipe.focus, 'the category word')] as const] : []),
    ['Negative prompt', negativePrompt || 'none'],
    ['Seed', recipe.seed],
    ['Truncation', recipe.truncation],
    ['Steps', recipe.steps],
    ['Guidance', recipe.guidanceScale],
    ['Sampler', samplers[recipe.sampler].label],
    ['Model', recipe.baseId],
  ];
}

/** What differs in how two pictures were made: terms, and the value of either. */
export function recipeDifferences(
  one: NamedRecipe,
  other: NamedRecipe,
): readonly (readonly [term: string, one: string | number, other: string | number])[] {
  const told = (recipe: NamedRecipe) =>
    new Map<string, string | number>([['Prompt', recipe.prompt], ...recipeDetails(recipe)]);
  const [ones, others] = [told(one), told(other)];
  const terms = [...new Set([...ones.keys(), ...others.keys()])];
  return terms
    .map((term) => [term, ones.get(term) ?? 'none', others.get(term) ?? 'none'] as const)
    .filter(([, value, another]) => value !== another);
}
