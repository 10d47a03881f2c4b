/**
 * The recipe of a picture: the fields that decide it, and no others. Whatever lists, compares, stores or sends them goes by
 * the schemas here, so that a new setting cannot be forgotten in one of these places.
 */
import { samplerNames } from '../diffusion/samplers/table.ts';
import { z } from '../lib/zod.ts';

const count = z.int().nonnegative();

export const percent = z.int().min(0).max(100);
export const sampler = z.enum(samplerNames);

/** A part of the concept's space-time (neti/focus.ts): where its word vector varies, and what stands outside. */
export const focusSchema = z.object({
  fromTimestep: z.number(),
  toTimestep: z.number(),
  fromLayer: count,
  toLayer: count,
  outside: z.enum(['frozen', 'category']),
});

/** How pictures are drawn, whichever concepts and seeds they have: what the form asks for and the worker is told. */
const settingsSchema = z.object({
  prompt: z.string(),
  negativePrompt: z.string(),
  steps: count,
  guidanceScale: z.number(),
  /** Hidden units of the concept's mapper that are kept (nested dropout): few is loose and editable, many is faithful. */
  truncation: count,
  sampler,
  focus: focusSchema.nullable().default(null),
});

/** A concept that the prompt calls by the name that it had. */
export const namedSchema = z.object({ conceptId: z.string(), name: z.string() });

/** Style mixing: the concept that gives the appearance, and the share of the sampling done before it, in %. */
export const mixingSchema = z.object({ conceptId: z.string(), start: percent });

export const recipeSchema = settingsSchema.extend({
  seed: z.int(),
  baseId: z.string(),
  /** At `{}`. */
  conceptId: z.string().nullable(),
  /** One a mark with a name, in the prompt's order. */
  named: z.array(namedSchema).readonly().default([]),
  /** The training step of the concept's preview that is drawn; null for the concept as it is. */
  trainedStep: count.nullable().default(null),
  mixing: mixingSchema.nullable().default(null),
});

/** The same as the form has it: numbers as typed. */
export const pictureFormSchema = z.object({
  prompt: z.string(),
  negativePrompt: z.string(),
  steps: z.string(),
  guidanceScale: z.string(),
  truncation: z.int().positive(),
  sampler,
  seed: z.string(),
  conceptId: z.string().nullable(),
  appearanceId: z.string().nullable().default(null),
  mixingStart: percent.default(40),
  focus: focusSchema.nullable().default(null),
  trainedStep: count.nullable().default(null),
});

/** As they may be given: without those that have a default. */
export type GivenSettings = Readonly<z.input<typeof settingsSchema>>;
export type PictureSettings = Readonly<z.infer<typeof settingsSchema>>;
export type Recipe = Readonly<z.infer<typeof recipeSchema>>;
export type PictureForm = Readonly<z.infer<typeof pictureFormSchema>>;

/** The settings alone, of anything that has them; those with a default may be missing. */
export function settingsOf(recipe: GivenSettings): PictureSettings {
  return settingsSchema.parse(recipe);
}

const keySchema = recipeSchema.partial();

/** Equal for recipes, or parts of them, that agree in every field but those that are excepted. */
export function keyOf(recipe: Partial<Recipe>, ...except: readonly (keyof Recipe)[]): string {
  const fields = Object.entries(keySchema.parse(recipe));
  return JSON.stringify(fields.filter(([field]) => except.every((each) => each !== field)));
}
