/**
 * A training run from the request to the concept file: checks, VAE moments, steps that yield to other work in between,
 * previews with fixed seeds. Stopping keeps what was learned, and the optimizer's state for a further run.
 */
import type { AdamWState } from '../gpu/adamw.ts';
import type { Pipeline } from '../diffusion/pipeline.ts';
import { AppError } from '../lib/errors.ts';
import { flipPlanes, toPlanes } from '../pictures/pixels.ts';
import { Random } from '../lib/random.ts';
import { readConcept, writeConcept } from '../neti/conceptFile.ts';
import type { ImportOrigin } from '../neti/conceptMetadata.ts';
import { createMapper, Mapper } from '../neti/mapper.ts';
import { MAPPER_DEFAULTS, type MapperConfig } from '../neti/mapperConfig.ts';
import { maxTrainingPictures, maxTrainSteps } from '../neti/limits.ts';
import { Trainer, type TrainingPicture } from '../neti/trainer.ts';
import type { TrainEvent, TrainRequest, TrainResult } from './api.ts';
import { architectureOf, identityOf } from './baseModel.ts';
import { encodeThumbnail, toSquare } from '../pictures/scale.ts';
import { RunStatistics } from './runStatistics.ts';
import type { Studio } from './studio.ts';
import type { Pixels } from '../pictures/pixels.ts';
import type { TrainSettings } from '../neti/settings.ts';

/** Milliseconds between progress messages: the page cannot show more. */
const eventPeriod = 100;
const preview = {
  seeds: [1, 2],
  steps: 12,
  guidanceScale: 5,
  sampler: 'dpm-solver++-2m',
} as const;

interface Run {
  readonly mapper: Mapper;
  readonly trainer: Trainer;
  readonly previewPrompts: readonly string[];
  readonly statistics: RunStatistics;
  /** Steps of earlier sessions. */
  readonly startStep: number;
  readonly created: string;
  readonly thumbnail: string;
  readonly imported: ImportOrigin | undefined;
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
  const run = await prepareRun(studio, request);
  try {
    await runSteps(studio, request, run, signal, onEvent);
    const { losses } = run.statistics;
    return {
      concept: await saveConcept(studio, request, run, await run.trainer.optimizerState()),
      step: run.startStep + losses.length,
      stopped: losses.length < request.settings.steps,
      seconds: (performance.now() - started) / 1000,
      losses,
    };
  } finally {
    run.trainer.release();
    run.mapper.release();
  }
}

async function runSteps(
  studio: Studio,
  request: TrainRequest,
  run: Run,
  signal: AbortSignal,
  onEvent: (event: TrainEvent) => void,
): Promise<void> {
  const { steps, previewEvery } = request.settings;
  let lastEvent = 0;
  for (let step = 1; step <= steps && !signal.aborted; step++) {
    const { loss } = await studio.mutex.run(() => run.trainer.step());
    const progress = run.statistics.add(finite(loss, step));
    const now = performance.now();
    if (now - lastEvent > eventPeriod || step === steps) {
      onEvent(progress);
      lastEvent = now;
    }
    const isDue = previewEvery > 0 && (step % previewEvery === 0 || step === steps);
    if (isDue && !signal.aborted) onEvent(await makePreview(studio, request, run));
    // Lets messages in: a stop must be heard between steps.
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function finite(loss: number, step: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new AppError(
    'training.diverged',
    `The loss became ${loss} at step ${step}; try a lower learning rate.`,
  );
}

function checkRequest({ name, pictures, settings }: TrainRequest): void {
  const wrong = [
    name.trim() === '' && 'the concept needs a name',
    pictures.length === 0 && 'add at least one picture',
    pictures.length > maxTrainingPictures &&
      `at most ${maxTrainingPictures} pictures can be used, found ${pictures.length}`,
    !(Number.isInteger(settings.steps) && settings.steps >= 1 && settings.steps <= maxTrainSteps) &&
      `training steps must be a whole number from 1 to ${maxTrainSteps}, found ${settings.steps}`,
    !(Number.isInteger(settings.batchSize) && settings.batchSize >= 2 && settings.batchSize % 2 === 0) &&
      `pictures a step must be an even number of at least 2, found ${settings.batchSize}`,
    !(settings.learningRate > 0) && `the learning rate must be positive, found ${settings.learningRate}`,
    !Number.isSafeInteger(settings.seed) && `the seed must be a whole number, found ${settings.seed}`,
  ].filter((message) => message !== false);
  if (wrong.length > 0) throw new AppError('training.request', `Training cannot start: ${wrong.join('; ')}.`);
}

async function prepareRun(studio: Studio, request: TrainRequest): Promise<Run> {
  const { pipeline, bridge, base } = studio;
  const { settings } = request;
  const squares = await Promise.all(
    request.pictures.map((picture) => toSquare(picture, pipeline.shape.resolution)),
  );
  const pictures = await encodePictures(studio, squares, settings.horizontalFlip);
  const earlier = request.resume ? await readConcept(request.resume, identityOf(base)) : null;
  const startStep = earlier?.info.step ?? 0;
  // A further session must not draw the same noise again.
  const random = new Random(settings.seed + startStep);
  const mapper = earlier
    ? new Mapper(bridge.backend, earlier.config, earlier.state)
    : createMapper(bridge.backend, await mapperConfig(pipeline, request.category, settings), random);
  // Those too long for a small base's rows are left out.
  const { vectors } = mapper.config;
  const fits = (prompt: string) => pipeline.tokenizer.count(prompt, vectors) <= pipeline.shape.tokens;
  const templates = base.words.templates[request.kind].filter(fits);
  const previewPrompts = settings.previewPrompts.filter(fits);
  if (templates.length === 0) {
    mapper.release();
    throw new AppError(
      'training.request',
      `Training cannot start: none of the model's training prompts has room for a concept of ${vectors} word vectors.`,
    );
  }
  const optimizer = earlier?.optimizer ?? null;
  return {
    mapper,
    trainer: new Trainer({ pipeline, bridge, mapper, pictures, templates, settings, random, optimizer }),
    previewPrompts: previewPrompts.length > 0 ? previewPrompts : templates.slice(0, 1),
    statistics: new RunStatistics({ startStep, steps: settings.steps, batchSize: settings.batchSize }),
    startStep,
    created: earlier?.info.created ?? new Date().toISOString(),
    thumbnail: earlier?.info.thumbnail || (await encodeThumbnail(squares[0]!)),
    imported: earlier?.info.imported,
  };
}

async function encodePictures(
  { pipeline, mutex }: Studio,
  squares: readonly Pixels[],
  flip: boolean,
): Promise<TrainingPicture[]> {
  const pictures: TrainingPicture[] = [];
  for (const square of squares) pictures.push(await mutex.run(() => encodePicture(pipeline, square, flip)));
  return pictures;
}

async function mapperConfig(
  pipeline: Pipeline,
  category: string,
  settings: TrainSettings,
): Promise<MapperConfig> {
  const { layers, contextWidth } = pipeline.shape;
  const token = pipeline.tokenizer.singleToken(category.toLowerCase());
  return {
    ...MAPPER_DEFAULTS,
    layers,
    contextWidth,
    textualBypass: settings.textualBypass,
    nestedDropout: settings.nestedDropout ? MAPPER_DEFAULTS.nestedDropout : 0,
    normScale: Math.hypot(...(await pipeline.tokenEmbedding(token))),
  };
}

async function encodePicture(pipeline: Pipeline, square: Pixels, flip: boolean): Promise<TrainingPicture> {
  const planes = toPlanes(square);
  const straight = await pipeline.encodeImages(planes, 1);
  return {
    straight,
    mirrored: flip ? await pipeline.encodeImages(flipPlanes(planes, square.width), 1) : null,
  };
}

/** A checkpoint of the weights alone: with the optimizer's state in each, a long training would fill the disk. */
async function makePreview(studio: Studio, request: TrainRequest, run: Run): Promise<TrainEvent> {
  const { painter, mutex } = studio;
  const pictures: Pixels[] = [];
  for (const prompt of run.previewPrompts) {
    const settings = { ...preview, prompt, negativePrompt: '', truncation: run.mapper.config.hidden };
    // The key is new at every step, since the mapper's weights change under the same name.
    const concept = { key: crypto.randomUUID(), mapper: run.mapper };
    pictures.push(
      ...(await mutex.run(() => painter.paint(settings, { concept }, undefined, () => undefined))),
    );
  }
  const concept = await saveConcept(studio, request, run);
  return { type: 'preview', step: run.startStep + run.statistics.losses.length, pictures, concept };
}

async function saveConcept(
  { base, pipeline }: Studio,
  request: TrainRequest,
  run: Run,
  optimizer?: AdamWState,
): Promise<Uint8Array<ArrayBuffer>> {
  const { losses } = run.statistics;
  const { name, category, kind, settings } = request;
  return writeConcept({
    config: run.mapper.config,
    state: await run.mapper.state(),
    ...(optimizer && { optimizer }),
    info: {
      name,
      category: category.toLowerCase(),
      kind,
      step: run.startStep + losses.length,
      baseId: base.id,
      baseHash: base.hash,
      created: run.created,
      thumbnail: run.thumbnail,
      ...(run.imported && { imported: run.imported }),
    },
    training: { seed: settings.seed, learningRate: settings.learningRate, losses },
    architecture: architectureOf(base, pipeline.shape),
    resolution: pipeline.shape.resolution,
    predictionType: pipeline.schedule.predictionType,
  });
}
