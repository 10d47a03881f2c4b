/**
 * The text half of a concept file: ModelSpec 1.0.1 keys that other programs show, and JSON under `neti.*` that this one
 * reads back, each checked against a schema with bounds, since it comes from strangers.
 */
import type { PredictionType } from '../diffusion/schedulerConfig.ts';
import { z } from '../lib/zod.ts';
import { CONCEPT_KINDS, type ConceptKind } from '../lib/conceptKind.ts';
import { AppError } from '../lib/errors.ts';
import { MAX_TRAINED_STEPS } from './limits.ts';
import { plainName } from '../lib/plainName.ts';
import { readTags } from '../lib/tags.ts';
import { TRAINING_STARTS, type TrainingStart } from '../lib/trainingStart.ts';
import { isPlainWord, MAX_VECTORS, type MapperConfig } from './mapperConfig.ts';

const FORMAT_VERSION = '1';
const THUMBNAIL = 'modelspec.thumbnail';
const TITLE = 'modelspec.title';
const TRIGGER = 'modelspec.trigger_phrase';
const TAGS = 'modelspec.tags';
const ORIGIN = 'neti.imported';
const POSITION = 'neti.position';
const MAX_THUMBNAIL = 2 * 2 ** 20;

const size = (max: number) => z.int().min(1).max(max);

/** The last four were not written at first: what a file does not say is NeTI. */
const configurationSchema: z.ZodType<MapperConfig> = z.strictObject({
  layers: size(256),
  contextWidth: size(8192),
  timeAnchors: size(1000),
  hidden: size(4096),
  fourierFeatures: size(16384),
  sigmaTime: z.number().positive(),
  sigmaLayer: z.number().positive(),
  textualBypass: z.boolean(),
  normScale: z.number().positive().nullable(),
  positionalEncoding: z.boolean(),
  nestedDropout: z.number().min(0).max(1),
  time: z.boolean().default(true),
  space: z.boolean().default(true),
  network: z.boolean().default(true),
  vectors: size(MAX_VECTORS).default(1),
});

/** Means over the first and the last tenth of a session's steps. */
const lossSummarySchema = z.strictObject({
  steps: size(MAX_TRAINED_STEPS),
  first: z.number(),
  last: z.number(),
});
export type LossSummary = z.infer<typeof lossSummarySchema>;

const word = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);

/** Where a training stood when the file was written: with the optimizer's state, a further one goes on exactly. */
const positionSchema = z.strictObject({
  random: z.strictObject({
    words: z
      .array(word)
      .length(4)
      .refine((words) => words.some((each) => each > 0), 'all zero'),
    spareNormal: z.number().nullable(),
  }),
  lossScale: z.strictObject({
    value: z
      .number()
      .positive()
      .max(2 ** 32),
    goodSteps: z.int().min(0).max(1e9),
  }),
});
export type TrainingPosition = z.infer<typeof positionSchema>;

const baseSchema = z.strictObject({
  id: z.string().min(1).max(200),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});

const conceptSchema = z.strictObject({
  name: z.string().trim().min(1).max(200),
  category: z.string().min(1).max(100),
  kind: z.enum(CONCEPT_KINDS),
  created: z.iso.datetime({ offset: true }),
  /** What stands for the concept in a prompt. */
  placeholder: z.string().min(1).max(100),
});

/** An imported concept may not say how it was trained. */
const trainingSchema = z.strictObject({
  step: z.int().min(0).max(MAX_TRAINED_STEPS),
  seed: z.int().nullable(),
  learningRate: z.number().positive().nullable(),
  losses: lossSummarySchema.nullable(),
  /** Null where it is not said: everything that was taught before there were starting mappers began as the official implementation. */
  start: z.enum(TRAINING_STARTS).nullable().default(null),
});

/**
 * A concept that was not learned here but read from another program's files. Those name their base by a title at most,
 * never by a hash: that the concept belongs to `neti.base` is what the user said by importing it, and not checked.
 */
const originSchema = z.strictObject({
  format: z.enum(['official-neti', 'textual-inversion']),
  files: z.array(z.string().min(1).max(300)).min(1).max(2),
  /** The base as the files call it, if they do. */
  base: z.string().max(300).nullable(),
});
export type ImportOrigin = z.infer<typeof originSchema>;

/** Only a picture inside the file: an address would make the page ask a stranger's server for it. */
const thumbnailSchema = z.union([
  z.literal(''),
  z
    .string()
    .max(MAX_THUMBNAIL)
    .regex(/^data:image\/(png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$/),
]);

/** How the concept stands in a prompt, and how much of it can be kept there. */
export interface ConceptWord {
  /** Tokens that it takes, one a word vector. */
  readonly vectors: number;
  /** Whether it is the same at every timestep, layer and truncation: a textual inversion. */
  readonly plain: boolean;
  /** Hidden units of its mapper: as many as a truncation can keep at most. */
  readonly hidden: number;
}

/** What a concept file says about itself. */
export interface ConceptInfo {
  readonly name: string;
  readonly category: string;
  readonly kind: ConceptKind;
  /** Steps trained, all sessions together. */
  readonly step: number;
  readonly baseId: string;
  readonly baseHash: string;
  /** ISO-8601. */
  readonly created: string;
  /** A picture's data URL, empty when the file has none. */
  readonly thumbnail: string;
  /** Words to find it by. */
  readonly tags: readonly string[];
  /** Only of concepts that come from another program. */
  readonly imported?: ImportOrigin;
  readonly word: ConceptWord;
}

/** What metadata are written from. `losses`: one number a step of the last session. */
export interface MetadataDraft {
  readonly config: MapperConfig;
  readonly info: Omit<ConceptInfo, 'word' | 'tags'>;
  readonly training: {
    readonly seed: number | null;
    readonly learningRate: number | null;
    readonly losses: readonly number[];
    readonly start?: TrainingStart | null;
  };
  /** ModelSpec's name for the kind of base; its own name where this is left out. */
  readonly architecture?: string;
  /** Goes with the optimizer's state. */
  readonly position?: TrainingPosition;
  /** Side of the base's pictures in pixels. */
  readonly resolution: number;
  readonly predictionType: PredictionType;
}

export interface ConceptMetadata {
  readonly configuration: MapperConfig;
  readonly base: z.infer<typeof baseSchema>;
  readonly concept: z.infer<typeof conceptSchema>;
  readonly training: z.infer<typeof trainingSchema>;
  readonly thumbnail: string;
  readonly tags: readonly string[];
  readonly imported: ImportOrigin | null;
  readonly position: TrainingPosition | null;
}

/** Throws `concept.draft` when a value is outside of what a reader accepts, such as an endless name. */
export function writeMetadata(draft: MetadataDraft): Map<string, string> {
  const { info, config, training, resolution, predictionType, architecture = info.baseId } = draft;
  const { name, category, kind, created, step, thumbnail } = info;
  const json = {
    'neti.configuration': check(configurationSchema, config, 'configuration', unfit),
    'neti.base': check(baseSchema, { id: info.baseId, hash: info.baseHash }, 'base', unfit),
    'neti.concept': check(
      conceptSchema,
      { name, category, kind, created, placeholder: '{}' },
      'concept',
      unfit,
    ),
    'neti.training': check(
      trainingSchema,
      { ...training, step, losses: summarise(training.losses) },
      'training',
      unfit,
    ),
  };
  return new Map([
    ['modelspec.sai_model_spec', '1.0.1'],
    ['modelspec.architecture', `${architecture}/neti`],
    ['modelspec.implementation', 'NeTI Studio'],
    [TITLE, name],
    ['modelspec.resolution', `${resolution}x${resolution}`],
    ['modelspec.date', created],
    [TRIGGER, name],
    ['modelspec.usage_hint', 'Write {} in a prompt where the concept belongs.'],
    ['modelspec.prediction_type', predictionType === 'v_prediction' ? 'v' : predictionType],
    [THUMBNAIL, check(thumbnailSchema, thumbnail, 'thumbnail', unfit)],
    ['neti.format', FORMAT_VERSION],
    ...Object.entries(json).map(([key, value]) => [key, JSON.stringify(value)] as const),
    ...(info.imported ? originTexts(info.imported, info.baseId) : []),
    ...positionTexts(draft.position),
  ]);
}

function positionTexts(position: TrainingPosition | undefined): [string, string][] {
  return position ? [[POSITION, JSON.stringify(check(positionSchema, position, 'position', unfit))]] : [];
}

function originTexts(imported: ImportOrigin, baseId: string): [string, string][] {
  const origin = check(originSchema, imported, 'origin', unfit);
  const learnedOn = origin.base === null ? 'does not name its base' : `names "${origin.base}" as its base`;
  return [
    [
      'modelspec.description',
      `Imported from ${origin.files.join(' and ')}, which ${learnedOn}. It fits "${baseId}" by its sizes; ` +
        'whether it was learned on a model of that family was not checked.',
    ],
    [ORIGIN, JSON.stringify(origin)],
  ];
}

/** Throws `concept.version` or `concept.corrupt`. */
export function readMetadata(metadata: ReadonlyMap<string, string>): ConceptMetadata {
  const version = metadata.get('neti.format');
  if (version === undefined) throw corrupt('it says nothing about a concept (neti.format is missing)');
  if (version !== FORMAT_VERSION) {
    throw new AppError(
      'concept.version',
      `This concept file has version ${version.slice(0, 20)}, this studio reads version ${FORMAT_VERSION}. Update the studio.`,
    );
  }
  return {
    configuration: readEntry(configurationSchema, metadata, 'neti.configuration'),
    base: readEntry(baseSchema, metadata, 'neti.base'),
    concept: readEntry(conceptSchema, metadata, 'neti.concept'),
    training: readEntry(trainingSchema, metadata, 'neti.training'),
    thumbnail: check(thumbnailSchema, metadata.get(THUMBNAIL) ?? '', THUMBNAIL, corrupt),
    tags: readTags(metadata.get(TAGS) ?? ''),
    imported: metadata.has(ORIGIN) ? readEntry(originSchema, metadata, ORIGIN) : null,
    position: metadata.has(POSITION) ? readEntry(positionSchema, metadata, POSITION) : null,
  };
}

/** What a concept of this configuration is in a prompt. */
export function wordOf(config: MapperConfig): ConceptWord {
  const { vectors, hidden } = config;
  return { vectors, plain: isPlainWord(config), hidden };
}

export function conceptInfo(metadata: ConceptMetadata): ConceptInfo {
  const { configuration, base, concept, training, thumbnail, tags, imported } = metadata;
  const { name, category, kind, created } = concept;
  return {
    name: plainName(name) || 'concept',
    category: plainName(category) || 'object',
    kind,
    created,
    step: training.step,
    baseId: base.id,
    baseHash: base.hash,
    thumbnail,
    tags,
    ...(imported && { imported }),
    word: wordOf(configuration),
  };
}

/** What people call a concept. */
export interface ConceptLabel {
  readonly name: string;
  /** PNG data URL, empty for none. */
  readonly thumbnail: string;
  /** Left out, they stay what they are. */
  readonly tags?: readonly string[];
}

/** All metadata as they are but for the label. Throws `concept.draft` when the label is not one. */
export function labelled(
  all: ReadonlyMap<string, string>,
  { concept }: ConceptMetadata,
  label: ConceptLabel,
): Map<string, string> {
  const { name } = check(conceptSchema, { ...concept, name: label.name }, 'concept', unfit);
  const changed = new Map(all);
  changed.set('neti.concept', JSON.stringify({ ...concept, name }));
  changed.set(TITLE, name).set(TRIGGER, name);
  changed.set(THUMBNAIL, check(thumbnailSchema, label.thumbnail, 'thumbnail', unfit));
  if (label.tags) changed.set(TAGS, readTags(label.tags.join(',')).join(', '));
  return changed;
}

function summarise(losses: readonly number[]): LossSummary | null {
  if (losses.length === 0) return null;
  const tenth = Math.ceil(losses.length / 10);
  const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
  return { steps: losses.length, first: mean(losses.slice(0, tenth)), last: mean(losses.slice(-tenth)) };
}

function readEntry<T>(schema: z.ZodType<T>, metadata: ReadonlyMap<string, string>, key: string): T {
  const text = metadata.get(key);
  if (text === undefined) throw corrupt(`${key} is missing`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw corrupt(`${key} is not JSON`);
  }
  return check(schema, value, key, corrupt);
}

function check<T>(schema: z.ZodType<T>, value: unknown, key: string, fail: (problem: string) => AppError): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw fail(`its ${key} is wrong (${z.prettifyError(result.error).slice(0, 200)})`);
}

export function corrupt(problem: string): AppError {
  return new AppError(
    'concept.corrupt',
    `This is not a concept file or it is damaged: ${problem}. Export it again.`,
  );
}

function unfit(problem: string): AppError {
  return new AppError('concept.draft', `The concept cannot be saved: ${problem}.`);
}
