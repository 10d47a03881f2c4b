/**
 * What the studio keeps: concepts, results and the draft on the page. Every record carries its version and is
 * validated when it is read, since what lies in IndexedDB may be older than the page or damaged. Pictures and
 * concept files are Blobs, which the browser keeps on disk until they are asked for.
 */
import { z } from '../lib/zod.ts';
import { CONCEPT_KINDS } from '../lib/conceptKind.ts';
import { TRAINING_STARTS, USUAL_START } from '../lib/trainingStart.ts';
import { mixingSchema, pictureFormSchema, recipeSchema, sampler } from './recipe.ts';

const blob = z.instanceof(Blob);
const kind = z.enum(CONCEPT_KINDS);
const count = z.int().nonnegative();

/** A point of the loss curve: running mean and running standard deviation. */
const curvePoint = z.object({ step: count, loss: z.number(), spread: z.number() });

const preview = z.object({ step: count, pictures: z.array(blob).readonly(), file: blob });

export const conceptSchema = z.object({
  version: z.literal(1),
  id: z.string().min(1),
  name: z.string().min(1),
  category: z.string(),
  kind,
  /** ISO-8601. */
  created: z.string(),
  updated: z.string(),
  baseId: z.string(),
  baseHash: z.string(),
  /** Steps that `file` was trained for, and steps that were asked for. */
  step: count,
  steps: count,
  seed: z.int(),
  /** The concept file (safetensors). */
  file: blob,
  /** As the concept file says (`ConceptWord`); absent from older records, or less of it, until a base opens that can read the file. */
  word: z
    .object({ vectors: z.int().positive(), plain: z.boolean(), hidden: z.int().positive() })
    .optional()
    .catch(undefined),
  thumbnail: blob.nullable(),
  /** Words to find it by. */
  tags: z.array(z.string()).readonly().default([]),
  /** The concept's pictures as PNG. */
  pictures: z.array(blob).readonly(),
  previews: z.array(preview).readonly(),
  curve: z.array(curvePoint).readonly(),
});

/** As the method takes them (neti/settings.ts). */
const trainSettings = z.object({
  variant: z.string(),
  /** An order of before there was a choice began as the official implementation. */
  start: z.enum(TRAINING_STARTS).default('official'),
  steps: z.int().positive(),
  learningRate: z.number().positive(),
  batchSize: z.int().positive(),
  nestedDropout: z.number(),
  seed: z.int(),
  horizontalFlip: z.boolean(),
  previewEvery: count,
  previewPrompts: z.array(z.string()).readonly(),
});

/** A training under way, as it was asked for; kept until its concept is. */
export const trainingOrderSchema = z.object({
  version: z.literal(1),
  /** Another for every training; one that goes on after a cut keeps it. */
  run: z.string().min(1),
  /** ISO-8601. */
  begun: z.string(),
  /** The record as it was before, with the pictures that are learned from. */
  record: conceptSchema,
  pictures: z.array(blob).readonly(),
  settings: trainSettings,
  /** Whether it goes on from the record's file. */
  further: z.boolean(),
});

/** How far it came. */
export const checkpointSchema = z.object({
  version: z.literal(1),
  conceptId: z.string(),
  run: z.string(),
  step: count,
  file: blob,
  /** One a step of this training. */
  losses: z.array(z.number()).readonly(),
  curve: z.array(curvePoint).readonly(),
});

/** The judge's cosines, −1 … 1; of several concepts the likeness to each, and their mean. */
const scores = z.object({
  likeness: z.number().nullable(),
  prompt: z.number(),
  each: z
    .array(z.object({ name: z.string(), likeness: z.number() }))
    .readonly()
    .default([]),
});

/** A picture with its recipe; the concepts' names as they were then. */
export const resultSchema = recipeSchema.extend({
  version: z.literal(1),
  id: z.string().min(1),
  conceptName: z.string(),
  mixing: mixingSchema.extend({ conceptName: z.string() }).nullable().default(null),
  /** Null until the judge has looked. */
  scores: scores.nullable().default(null),
  picture: blob,
  created: z.string(),
});

/** What an axis of a grid goes through. */
export const axisField = z.enum([
  'prompt',
  'seed',
  'truncation',
  'guidanceScale',
  'steps',
  'sampler',
  'concept',
  'mixing',
  'trainedStep',
]);

/** An axis as it is asked for: numbers or lines as typed, and the ids of what is ticked. */
const axisForm = z.object({ field: axisField, text: z.string(), chosen: z.array(z.string()).readonly() });

const axis = z.object({ title: z.string(), labels: z.array(z.string()).readonly() });

/** A grid of pictures: row by row, null where none is drawn yet. */
export const gridSchema = z.object({
  version: z.literal(1),
  x: axis,
  y: axis,
  cells: z.array(resultSchema.nullable()).readonly(),
});

const crop = z.object({ x: count, y: count, width: z.int().positive(), height: z.int().positive() });

const draftPicture = z.object({
  id: z.string().min(1),
  fileName: z.string(),
  source: blob,
  width: z.int().positive(),
  height: z.int().positive(),
  transparent: z.boolean(),
  crop: crop.nullable(),
});

/** The pictures on the page; kept apart from the form, which changes with every key. */
export const draftPicturesSchema = z.object({
  version: z.literal(1),
  ground: z.string(),
  pictures: z.array(draftPicture).readonly(),
  /** Files that were given and not read yet. */
  waiting: z.array(z.instanceof(File)).readonly().default([]),
});

/** What a base's defaults put into the form; what still is so was not typed. */
const filledSchema = z.object({
  trainSteps: z.string(),
  steps: z.string(),
  guidanceScale: z.string(),
  sampler: sampler.default('dpm-solver++-2m'),
  learningRate: z.string().default('0.008'),
  batchSize: z.string().default('8'),
});

export const draftFormSchema = pictureFormSchema.extend({
  version: z.literal(1),
  name: z.string(),
  category: z.string(),
  kind,
  trainSteps: z.string(),
  trainSeed: z.string(),
  learningRate: z.string().default('0.008'),
  batchSize: z.string().default('8'),
  nestedDropout: z.string().default('0.5'),
  /** The method's variant by its name. */
  variant: z.string().default('neti'),
  start: z.enum(TRAINING_STARTS).default(USUAL_START),
  count: z.int().positive(),
  gridX: axisForm.default({ field: 'truncation', text: '1, 16, 64, 128', chosen: [] }),
  gridY: axisForm.default({ field: 'seed', text: '1-3', chosen: [] }),
  /** A draft of before there were defaults began with these. */
  filled: filledSchema.default({
    trainSteps: '150',
    steps: '20',
    guidanceScale: '5',
    sampler: 'dpm-solver++-2m',
    learningRate: '0.008',
    batchSize: '8',
  }),
  provider: z.enum(['auto', 'webgpu', 'wasm']),
  /** The kept model that is open; null for the one that ships with the page. */
  model: z.string().nullable().default(null),
});

/** The same records, oldest first. */
export function byAge<Item extends { readonly created: string }>(records: readonly Item[]): Item[] {
  return records.toSorted((a, b) => a.created.localeCompare(b.created));
}

export type ConceptRecord = Readonly<z.infer<typeof conceptSchema>>;
export type TrainingOrder = Readonly<z.infer<typeof trainingOrderSchema>>;
export type Checkpoint = Readonly<z.infer<typeof checkpointSchema>>;
export type PreviewRecord = ConceptRecord['previews'][number];
export type CurvePoint = Readonly<z.infer<typeof curvePoint>>;
export type ResultRecord = Readonly<z.infer<typeof resultSchema>>;
export type DraftPicture = Readonly<z.infer<typeof draftPicture>>;
export type DraftPictures = Readonly<z.infer<typeof draftPicturesSchema>>;
export type DraftForm = Readonly<z.infer<typeof draftFormSchema>>;
export type AxisField = z.infer<typeof axisField>;
export type AxisForm = Readonly<z.infer<typeof axisForm>>;
export type GridRecord = Readonly<z.infer<typeof gridSchema>>;
