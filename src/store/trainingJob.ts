/** A training to be run, from the form or for a concept of the library, with every check that can be made before. */
import { AppError } from '../lib/errors.ts';
import { OFFICIAL_DEFAULTS } from '../neti/baseDefaults.ts';
import {
  MAX_BATCH_SIZE,
  MAX_LEARNING_RATE,
  MAX_TRAINED_STEPS,
  MAX_TRAIN_STEPS,
  MIN_LEARNING_RATE,
} from '../neti/limits.ts';
import { variantNames, type VariantName } from '../neti/variants.ts';
import type { KeptTraining } from '../storage/trainingStore.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import type { TrainRequest } from '../worker/api.ts';
import type { StudioDeps } from './context.ts';
import { FieldError, readNumber, SEED_RANGE } from './fields.ts';
import type { ConceptRecord, PreviewRecord, StudioState, TrainingState } from './state.ts';
import type { ConceptKind } from '../lib/conceptKind.ts';
import type { TrainSettings } from '../neti/settings.ts';

export interface TrainingJob extends KeptTraining {
  readonly initial: TrainingState;
}

const LONGEST_NAME = 60;

const LEARNING_RATE_RANGE = {
  label: 'The learning rate',
  from: MIN_LEARNING_RATE,
  to: MAX_LEARNING_RATE,
  whole: false,
};
const BATCH_RANGE = { label: 'Pictures a step', from: 2, to: MAX_BATCH_SIZE, whole: true, even: true };
const DROPOUT_RANGE = { label: 'Nested dropout', from: 0, to: 1, whole: false };
const STEPS_RANGE = { label: 'Training steps', from: 1, to: MAX_TRAIN_STEPS, whole: true };

function readSettings(deps: StudioDeps, { form, base }: StudioState, kind: ConceptKind): TrainSettings {
  return {
    ...deps.trainSettings(kind, base?.defaults ?? OFFICIAL_DEFAULTS),
    variant: variantOf(form.variant),
    start: form.start,
    steps: readNumber('trainSteps', form.trainSteps, STEPS_RANGE),
    seed: readNumber('trainSeed', form.trainSeed, SEED_RANGE),
    learningRate: readNumber('learningRate', form.learningRate, LEARNING_RATE_RANGE),
    batchSize: readNumber('batchSize', form.batchSize, BATCH_RANGE),
    nestedDropout: readNumber('nestedDropout', form.nestedDropout, DROPOUT_RANGE),
  };
}

const variantOf = (name: string): VariantName => variantNames.find((each) => each === name) ?? 'neti';

function readLabels({ form }: StudioState): { name: string; category: string } {
  const [name, category] = [form.name.trim(), form.category.trim().toLowerCase()];
  if (name === '')
    throw new FieldError('name', 'training.name', 'Give the concept a name, such as “my teapot”.');
  if (name.length > LONGEST_NAME)
    throw new FieldError(
      'name',
      'training.name',
      `The name has ${name.length} letters; at most ${LONGEST_NAME} are taken. Shorten it.`,
    );
  if (category === '')
    throw new FieldError(
      'category',
      'category.empty',
      'Say in one word what it is, such as “toy” or “animal”.',
    );
  return { name, category };
}

function requirePictures(count: number): void {
  if (count === 0)
    throw new AppError(
      'training.pictures',
      'There is nothing to learn from. Add one picture at least; four are better.',
    );
}

const initialState = (conceptId: string, name: string, steps: number): TrainingState => ({
  conceptId,
  name,
  phase: 'preparing',
  step: 0,
  steps,
  picturesPerSecond: 0,
  secondsLeft: null,
  curve: [],
  previews: [],
});

/** A new concept from the form and the pictures on the page. Throws FieldError and `training.*`. */
export function newJob(deps: StudioDeps, state: StudioState): TrainingJob {
  requirePictures(state.pictures.length);
  const labels = { ...readLabels(state), kind: state.form.kind };
  const settings = readSettings(deps, state, labels.kind);
  const record = newRecord(deps, state, labels, settings);
  return {
    order: { ...newOrder(deps), record, pictures: record.pictures, settings, further: false },
    checkpoint: null,
    initial: initialState(record.id, labels.name, settings.steps),
  };
}

const newOrder = ({ newId, now }: StudioDeps) => ({ version: 1, run: newId(), begun: now() }) as const;

function newRecord(
  deps: StudioDeps,
  { pictures, base }: StudioState,
  labels: Pick<ConceptRecord, 'name' | 'category' | 'kind'>,
  { steps, seed }: TrainSettings,
): ConceptRecord {
  return {
    version: 1,
    id: deps.newId(),
    ...labels,
    created: deps.now(),
    updated: deps.now(),
    baseId: base?.id ?? '',
    baseHash: base?.hash ?? '',
    step: 0,
    steps,
    seed,
    file: new Blob(),
    word: { vectors: 1, plain: false, hidden: MAPPER_DEFAULTS.hidden },
    thumbnail: pictures[0]!.square,
    tags: [],
    pictures: pictures.map((each) => each.square),
    previews: [],
    curve: [],
  };
}

/** More steps for a concept of the library, on its own pictures (an imported one has none: those on the page). */
export function furtherJob(deps: StudioDeps, state: StudioState, conceptId: string): TrainingJob {
  const record = state.concepts.find((each) => each.id === conceptId);
  if (record === undefined)
    throw new AppError(
      'training.gone',
      'This concept is no longer in the library. Choose another or start anew.',
    );
  const { name, kind, step, previews, curve } = record;
  const pictures = record.pictures.length > 0 ? record.pictures : state.pictures.map((each) => each.square);
  requirePictures(pictures.length);
  const settings = readSettings(deps, state, kind);
  const steps = step + settings.steps;
  if (steps > MAX_TRAINED_STEPS) throw tooFar(name, step);
  return {
    order: { ...newOrder(deps), record: { ...record, steps }, pictures, settings, further: true },
    checkpoint: null,
    initial: { ...initialState(conceptId, name, steps), step, previews, curve },
  };
}

function tooFar(name: string, step: number): FieldError {
  const left = Math.max(0, MAX_TRAINED_STEPS - step);
  return new FieldError(
    'trainSteps',
    'training.steps',
    `“${name}” was trained for ${step} steps and takes at most ${MAX_TRAINED_STEPS}: ${left === 0 ? 'it cannot be trained further' : `ask for at most ${left} more`}.`,
  );
}

/** The rest of a training that was cut short. */
export function restOf({ order, checkpoint }: KeptTraining, previews: readonly PreviewRecord[]): TrainingJob {
  const { id, name, step: before, steps, curve } = order.record;
  const step = checkpoint?.step ?? before;
  const initial = initialState(id, name, steps);
  const known = previews.filter((preview) => preview.step <= step);
  return { order, checkpoint, initial: { ...initial, step, previews: known, curve } };
}

/** What the worker is asked for. */
export async function requestOf(
  deps: StudioDeps,
  { order, checkpoint }: TrainingJob,
  ground: string,
): Promise<TrainRequest> {
  const { record, pictures, settings, further } = order;
  const { name, category, kind } = record;
  const file = checkpoint?.file ?? (further ? record.file : null);
  return {
    name,
    category,
    kind,
    pictures: await Promise.all(pictures.map((each) => deps.images.square(each, null, ground))),
    settings: { ...settings, variant: variantOf(settings.variant) },
    ...(file && { resume: new Uint8Array(await file.arrayBuffer()) }),
    ...(checkpoint && { losses: checkpoint.losses }),
  };
}
