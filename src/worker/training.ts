/**
 * A training run from the request to the concept file: checks, VAE moments, steps that yield to other work in between,
 * previews with fixed seeds. Stopping keeps what was learned.
 */
import type { Pipeline } from '../diffusion/pipeline.ts';
import { AppError } from '../lib/errors.ts';
import { flipPlanes, toPlanes } from '../lib/pixels.ts';
import { Random } from '../lib/random.ts';
import { readConcept, writeConcept } from '../neti/conceptFile.ts';
import type { MapperState } from '../neti/mapper.ts';
import { createMapper, Mapper } from '../neti/mapper.ts';
import type { MapperConfig } from '../neti/mapperConfig.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import type { LatentMoments, TrainingPicture } from '../neti/trainer.ts';
import { Trainer } from '../neti/trainer.ts';
import type { Pixels, TrainEvent, TrainRequest, TrainResult, TrainSettings } from './api.ts';
import { toDataUrl, toSquare } from './pictures.ts';
import { RunStatistics } from './runStatistics.ts';
import type { Studio } from './studio.ts';

const maxPictures = 20;
const maxSteps = 5000;
/** Progress messages a second at most: the page cannot show more. */
const eventPeriod = 100;
const preview = {
  seeds: [1, 2],
  steps: 12,
  guidanceScale: 5,
  truncation: 128,
  sampler: 'dpm-solver++-2m',
} as const;

export async function trainConcept(
  studio: Studio,
  request: TrainRequest,
  signal: AbortSignal,
  onEvent: (event: TrainEvent) => void,
): Promise<TrainResult> {
  checkRequest(request);
  const started = performance.now();
  const run = await prepareRun(studio, request);
  const { settings } = request;
  const statistics = new RunStatistics(settings.steps, settings.batchSize);
  let lastEvent = 0;
  try {
    for (let step = 1; step <= settings.steps && !signal.aborted; step++) {
      const { loss } = await studio.mutex.run(() => run.trainer.step());
      if (!Number.isFinite(loss))
        throw new AppError(
          'train.diverged',
          `The loss became ${loss} at step ${step}; try a lower learning rate.`,
        );
      const progress = statistics.add(loss);
      const now = performance.now();
      if (now - lastEvent > eventPeriod || step === settings.steps) {
        onEvent(progress);
        lastEvent = now;
      }
      const due =
        settings.previewEvery > 0 && (step % settings.previewEvery === 0 || step === settings.steps);
      if (due && !signal.aborted) onEvent(await makePreview(studio, request, run, step));
      // Lets messages in: a stop must be heard between steps.
      await new Promise((resolve) => setTimeout(resolve));
    }
    const done = statistics.losses.length;
    return {
      concept: await saveConcept(studio, request, run, done, statistics.losses),
      step: run.startStep + done,
      stopped: done < settings.steps,
      seconds: (performance.now() - started) / 1000,
      losses: statistics.losses,
    };
  } finally {
    run.trainer.release();
    run.mapper.release();
  }
}

interface Run {
  readonly mapper: Mapper;
  readonly trainer: Trainer;
  readonly startStep: number;
  readonly created: string;
  readonly thumbnail: string;
}

function checkRequest({ name, pictures, settings }: TrainRequest): void {
  const wrong = [
    name.trim() === '' && 'the concept needs a name',
    pictures.length === 0 && 'add at least one picture',
    pictures.length > maxPictures && `at most ${maxPictures} pictures can be used, found ${pictures.length}`,
    !(Number.isInteger(settings.steps) && settings.steps >= 1 && settings.steps <= maxSteps) &&
      `training steps must be a whole number from 1 to ${maxSteps}, found ${settings.steps}`,
    !(Number.isInteger(settings.batchSize) && settings.batchSize >= 2 && settings.batchSize % 2 === 0) &&
      `pictures a step must be an even number of at least 2, found ${settings.batchSize}`,
    !(settings.learningRate > 0) && `the learning rate must be positive, found ${settings.learningRate}`,
    !Number.isSafeInteger(settings.seed) && `the seed must be a whole number, found ${settings.seed}`,
  ].filter((message) => message !== false);
  if (wrong.length > 0) throw new AppError('train.request', `Training cannot start: ${wrong.join('; ')}.`);
}

async function prepareRun(studio: Studio, request: TrainRequest): Promise<Run> {
  const { pipeline, bridge, base, mutex } = studio;
  const { settings } = request;
  const random = new Random(settings.seed);
  const squares = await Promise.all(
    request.pictures.map((picture) => toSquare(picture, pipeline.shape.resolution, settings.centreCrop)),
  );
  const pictures: TrainingPicture[] = [];
  for (const square of squares)
    pictures.push(await mutex.run(() => encodePicture(pipeline, square, settings.horizontalFlip)));
  const earlier = request.resume
    ? await readConcept(request.resume, { id: base.entry.id, hash: base.entry.hash })
    : null;
  const mapper = earlier
    ? new Mapper(bridge.backend, earlier.config, earlier.state)
    : createMapper(bridge.backend, await mapperConfig(pipeline, request.category, settings), random);
  const templates = base.words.templates[request.kind];
  return {
    mapper,
    trainer: new Trainer({ pipeline, bridge, mapper, pictures, templates, settings, random }),
    startStep: earlier?.info.step ?? 0,
    created: earlier?.info.created ?? new Date().toISOString(),
    thumbnail: earlier?.info.thumbnail || (await toDataUrl(squares[0]!)),
  };
}

async function mapperConfig(
  pipeline: Pipeline,
  category: string,
  settings: TrainSettings,
): Promise<MapperConfig> {
  const { layers, contextWidth } = pipeline.shape;
  return {
    ...MAPPER_DEFAULTS,
    layers,
    contextWidth,
    textualBypass: settings.textualBypass,
    nestedDropout: settings.nestedDropout ? MAPPER_DEFAULTS.nestedDropout : 0,
    normScale: await pipeline.embeddingNorm(pipeline.tokenizer.singleToken(category.toLowerCase())),
  };
}

async function encodePicture(pipeline: Pipeline, square: Pixels, flip: boolean): Promise<TrainingPicture> {
  const planes = toPlanes(square);
  const straight: LatentMoments = await pipeline.encodeImages(planes, 1);
  return {
    straight,
    mirrored: flip ? await pipeline.encodeImages(flipPlanes(planes, square.width), 1) : null,
  };
}

async function makePreview(
  studio: Studio,
  request: TrainRequest,
  run: Run,
  step: number,
): Promise<TrainEvent> {
  const { painter, mutex } = studio;
  const pictures: Pixels[] = [];
  for (const prompt of request.settings.previewPrompts) {
    const settings = { ...preview, prompt, negativePrompt: '' };
    // The key is new at every step, since the mapper's weights change under the same name.
    const concept = { key: crypto.randomUUID(), mapper: run.mapper };
    pictures.push(...(await mutex.run(() => painter.paint(settings, concept, undefined, () => undefined))));
  }
  const concept = await saveConcept(studio, request, run, step, []);
  return { type: 'preview', step: run.startStep + step, pictures, concept };
}

async function saveConcept(
  studio: Studio,
  request: TrainRequest,
  run: Run,
  done: number,
  losses: readonly number[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { entry } = studio.base;
  const state: MapperState = await run.mapper.state();
  const { name, category, kind, settings } = request;
  return writeConcept({
    config: run.mapper.config,
    state,
    info: {
      name,
      category: category.toLowerCase(),
      kind,
      step: run.startStep + done,
      baseId: entry.id,
      baseHash: entry.hash,
      created: run.created,
      thumbnail: run.thumbnail,
    },
    training: { seed: settings.seed, learningRate: settings.learningRate, losses: [...losses] },
    resolution: entry.resolution,
    predictionType: studio.pipeline.schedule.predictionType,
  });
}
