/**
 * A training run from the request to the concept file: checks, VAE moments, steps that yield to other work in between,
 * previews with fixed seeds. Stopping keeps what was learned, and the optimizer's state for a further run.
 */
import { AppError } from '../lib/errors.ts';
import { readConcept } from '../neti/conceptFile.ts';
import { MAX_TRAINING_PICTURES, MAX_TRAIN_STEPS } from '../neti/limits.ts';
import { CHECKPOINT_PERIOD, encodePicture, TrainingRun, withRoom, type RunLabel } from '../neti/run.ts';
import { readStartingMapper } from '../neti/startingMapper.ts';
import type { TrainingPicture } from '../neti/trainer.ts';
import { toPlanes, type Pixels } from '../pictures/pixels.ts';
import { encodeThumbnail, toSquare } from '../pictures/scale.ts';
import type { TrainEvent, TrainRequest, TrainResult } from './api.ts';
import { architectureOf, identityOf } from './baseModel.ts';
import { RunStatistics } from './runStatistics.ts';
import type { Studio } from './studio.ts';

/** Milliseconds between progress messages: the page cannot show more. */
const EVENT_PERIOD = 100;
const PREVIEW = {
  seeds: [1, 2],
  steps: 12,
  guidanceScale: 5,
  sampler: 'dpm-solver++-2m',
} as const;

interface Session {
  readonly run: TrainingRun;
  readonly label: RunLabel;
  readonly category: string;
  readonly previewPrompts: readonly string[];
  readonly statistics: RunStatistics;
}

/**
 * Trains for the steps asked for, or until the signal stops it. Throws `training.request` for a request that cannot run,
 * `category.tokens`, `concept.*` for an earlier concept that cannot be gone on from, and `training.diverged`.
 */
export async function trainConcept(
  studio: Studio,
  request: TrainRequest,
  signal: AbortSignal,
  onEvent: (event: TrainEvent) => void,
): Promise<TrainResult> {
  checkRequest(request);
  const started = performance.now();
  const session = await prepare(studio, request);
  const { run, label } = session;
  try {
    await runSteps(studio, request, session, signal, onEvent);
    return {
      concept: await run.save(label, { withOptimizer: true }),
      step: run.step,
      stopped: run.losses.length < request.settings.steps,
      seconds: (performance.now() - started) / 1000,
      losses: run.losses,
    };
  } finally {
    run.release();
  }
}

async function runSteps(
  studio: Studio,
  request: TrainRequest,
  session: Session,
  signal: AbortSignal,
  onEvent: (event: TrainEvent) => void,
): Promise<void> {
  const { steps, previewEvery } = request.settings;
  const { run, statistics } = session;
  const [telling, keeping] = [new Period(EVENT_PERIOD), new Period(CHECKPOINT_PERIOD)];
  for (let step = run.losses.length + 1; step <= steps && !signal.aborted; step++) {
    const { loss } = await studio.mutex.run(() => run.next());
    statistics.add(loss);
    if (telling.isOver() || step === steps) onEvent(statistics.report());
    const isDue = previewEvery > 0 && (step % previewEvery === 0 || step === steps);
    if (isDue && !signal.aborted) onEvent(await makePreview(studio, session));
    // After the preview, so that none is left out by a training that goes on from here.
    if (keeping.isOver()) onEvent(await makeCheckpoint(session));
    // Lets messages in: a stop must be heard between steps.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

/** Tells when a time is over, and begins anew. */
class Period {
  private begun = performance.now();

  constructor(private readonly milliseconds: number) {}

  isOver(): boolean {
    const now = performance.now();
    if (now - this.begun < this.milliseconds) return false;
    this.begun = now;
    return true;
  }
}

async function makeCheckpoint({ run, label }: Session): Promise<TrainEvent> {
  const concept = await run.save(label, { withOptimizer: true });
  return { type: 'checkpoint', step: run.step, concept, losses: [...run.losses] };
}

function checkRequest({ name, pictures, settings }: TrainRequest): void {
  const wrong = [
    name.trim() === '' && 'the concept needs a name',
    pictures.length === 0 && 'add at least one picture',
    pictures.length > MAX_TRAINING_PICTURES &&
      `at most ${MAX_TRAINING_PICTURES} pictures can be used, found ${pictures.length}`,
    !(Number.isInteger(settings.steps) && settings.steps >= 1 && settings.steps <= MAX_TRAIN_STEPS) &&
      `training steps must be a whole number from 1 to ${MAX_TRAIN_STEPS}, found ${settings.steps}`,
    !(Number.isInteger(settings.batchSize) && settings.batchSize >= 2 && settings.batchSize % 2 === 0) &&
      `pictures a step must be an even number of at least 2, found ${settings.batchSize}`,
    !(settings.nestedDropout >= 0 && settings.nestedDropout <= 1) &&
      `nested dropout must be a probability from 0 to 1, found ${settings.nestedDropout}`,
    !(settings.learningRate > 0) && `the learning rate must be positive, found ${settings.learningRate}`,
    !Number.isSafeInteger(settings.seed) && `the seed must be a whole number, found ${settings.seed}`,
  ].filter((message) => message !== false);
  if (wrong.length > 0) throw new AppError('training.request', `Training cannot start: ${wrong.join('; ')}.`);
}

async function prepare(studio: Studio, request: TrainRequest): Promise<Session> {
  const { pipeline, bridge, base } = studio;
  const { settings, name, kind, category, losses = [] } = request;
  const side = pipeline.shape.resolution;
  const squares = await Promise.all(request.pictures.map((picture) => toSquare(picture, side)));
  const pictures = await encodePictures(studio, squares, settings.horizontalFlip);
  const earlier = request.resume ? await readConcept(request.resume, identityOf(base)) : null;
  const templates = base.words.templates[kind];
  const open = {
    pipeline,
    bridge,
    identity: identityOf(base),
    architecture: architectureOf(base, pipeline.shape),
    startingMapper: await readStartingMapper(base.open),
  };
  const run = await TrainingRun.begin(open, { settings, category, pictures, templates, earlier, losses });
  const { vectors } = run.mapper.config;
  const prompts = withRoom(pipeline, settings.previewPrompts, vectors);
  return {
    run,
    label: {
      name,
      kind,
      created: earlier?.info.created ?? new Date().toISOString(),
      thumbnail: earlier?.info.thumbnail || (await encodeThumbnail(squares[0]!)),
      imported: earlier?.info.imported,
    },
    category,
    previewPrompts: prompts.length > 0 ? prompts : withRoom(pipeline, templates, vectors).slice(0, 1),
    statistics: new RunStatistics(
      { startStep: run.startStep, steps: settings.steps, batchSize: settings.batchSize },
      losses,
    ),
  };
}

async function encodePictures(
  { encoder, mutex }: Studio,
  squares: readonly Pixels[],
  mirrored: boolean,
): Promise<TrainingPicture[]> {
  const encode = (planes: Float32Array<ArrayBuffer>) => encoder.encode(planes);
  const pictures: TrainingPicture[] = [];
  for (const square of squares)
    pictures.push(await mutex.run(() => encodePicture(encode, toPlanes(square), square.width, mirrored)));
  return pictures;
}

/** With the weights alone: with the optimizer's state in each preview, a long training would fill the disk. */
async function makePreview(
  { painter, mutex }: Studio,
  { run, label, category, previewPrompts }: Session,
): Promise<TrainEvent> {
  const pictures: Pixels[] = [];
  for (const prompt of previewPrompts) {
    const settings = { ...PREVIEW, prompt, negativePrompt: '', truncation: run.mapper.config.hidden };
    const concept = { key: null, mapper: run.mapper, category };
    pictures.push(
      ...(await mutex.run(() => painter.paint(settings, { concept }, undefined, () => undefined))),
    );
  }
  return { type: 'preview', step: run.step, pictures, concept: await run.save(label) };
}
