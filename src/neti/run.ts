/**
 * A training run: a mapper of one of the paper's variants and its trainer, begun afresh or from a concept file, to the file that
 * keeps what was learned. The page and the evaluation both learn through it.
 */
import type { Pipeline } from '../diffusion/pipeline.ts';
import { AppError } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import type { TrainingStart } from '../lib/trainingStart.ts';
import { flipPlanes } from '../pictures/pixels.ts';
import type { Bridge } from './bridge.ts';
import { writeConcept, type BaseIdentity, type Concept } from './conceptFile.ts';
import type { ConceptInfo, TrainingPosition } from './conceptMetadata.ts';
import { LossScale } from './lossScale.ts';
import { createMapper, createTable, Mapper, type MapperState } from './mapper.ts';
import type { MapperConfig, MapperSizes } from './mapperConfig.ts';
import type { TrainSettings } from './settings.ts';
import { startingState, type StartingMapper } from './startingMapper.ts';
import { Trainer, type LatentMoments, type StepResult, type TrainingPicture } from './trainer.ts';
import { variantConfig } from './variants.ts';

/** The open base, and what concept files say of it. */
export interface RunBase {
  readonly pipeline: Pipeline;
  readonly bridge: Bridge;
  readonly identity: BaseIdentity;
  readonly architecture: string;
  readonly startingMapper?: StartingMapper | null;
}

export interface RunStart {
  readonly settings: TrainSettings;
  /** One word that is a single token of the base: the super-category. */
  readonly category: string;
  readonly pictures: readonly TrainingPicture[];
  /** Prompts with one `{}` each; those without room for the concept's vectors are left out. */
  readonly templates: readonly string[];
  /** Of a mapper that begins; the method's own where none are given. */
  readonly sizes?: Partial<MapperSizes>;
  /** To go on from, exactly where the file has the optimizer's state and its position; its steps are counted on. */
  readonly earlier?: Concept | null;
  /** Losses of this run before it was cut short, one a step: it is gone on with from `earlier`. */
  readonly losses?: readonly number[];
}

/** Milliseconds of training between checkpoints: what a closed tab costs at most. */
export const CHECKPOINT_PERIOD = 2000;

/** What a concept file says besides what was learned. */
export type RunLabel = Pick<ConceptInfo, 'name' | 'kind' | 'created' | 'thumbnail' | 'imported'>;

export class TrainingRun {
  /** One number a step of this run. */
  readonly losses: number[];

  private constructor(
    private readonly base: RunBase,
    private readonly start: RunStart,
    readonly mapper: Mapper,
    private readonly trainer: Trainer,
    private readonly random: Random,
    private readonly begunWith: TrainingStart | null,
  ) {
    this.losses = [...(start.losses ?? [])];
  }

  /** Throws `category.tokens`, `training.request` when no template has room for the concept, and `gpu.shape`. */
  static async begin(base: RunBase, start: RunStart): Promise<TrainingRun> {
    const { settings, pictures, earlier } = start;
    const random = randomOf(start);
    const { mapper, begunWith } = await mapperOf(base, start, random);
    try {
      const templates = withRoom(base.pipeline, start.templates, mapper.config.vectors);
      if (templates.length === 0) throw noRoom(mapper.config.vectors);
      const optimizer = earlier?.optimizer ?? null;
      const { pipeline, bridge } = base;
      const lossScale = new LossScale(pipeline.shape.precision);
      if (earlier?.position) lossScale.load(earlier.position.lossScale);
      const trainer = new Trainer({
        pipeline,
        bridge,
        mapper,
        pictures,
        templates,
        settings,
        random,
        optimizer,
        lossScale,
      });
      return new TrainingRun(base, start, mapper, trainer, random, begunWith);
    } catch (error) {
      mapper.release();
      throw error;
    }
  }

  /** Steps of earlier runs. */
  get startStep(): number {
    const { earlier, losses = [] } = this.start;
    return Math.max(0, (earlier?.info.step ?? 0) - losses.length);
  }

  /** Steps that the concept has been trained for, earlier runs included. */
  get step(): number {
    return this.startStep + this.losses.length;
  }

  /** Throws `training.diverged` when the loss is no number any more. */
  async next(): Promise<StepResult> {
    const result = await this.trainer.step();
    if (!Number.isFinite(result.loss))
      throw new AppError(
        'training.diverged',
        `The loss became ${result.loss} at step ${this.losses.length + 1}; try a lower learning rate.`,
      );
    this.losses.push(result.loss);
    return result;
  }

  /** The concept file; with the optimizer's state a further run goes on exactly, at three times the bytes; in half precision it has half of them. */
  async save(
    label: RunLabel,
    { withOptimizer = false, half = false } = {},
  ): Promise<Uint8Array<ArrayBuffer>> {
    const { identity, architecture, pipeline } = this.base;
    const { settings, category } = this.start;
    const { name, kind, created, thumbnail, imported } = label;
    return writeConcept({
      config: this.mapper.config,
      state: await this.mapper.state(),
      half,
      ...(withOptimizer && { optimizer: await this.trainer.optimizerState(), position: this.position() }),
      info: {
        name,
        category: category.toLowerCase(),
        kind,
        step: this.step,
        baseId: identity.id,
        baseHash: identity.hash,
        created,
        thumbnail,
        ...(imported && { imported }),
      },
      training: {
        seed: settings.seed,
        learningRate: settings.learningRate,
        losses: this.losses,
        start: this.begunWith,
      },
      architecture,
      resolution: pipeline.shape.resolution,
      predictionType: pipeline.schedule.predictionType,
    });
  }

  private position(): TrainingPosition {
    const { words, spareNormal } = this.random.state();
    return { random: { words: [...words], spareNormal }, lossScale: this.trainer.lossScaleState() };
  }

  release(): void {
    this.trainer.release();
    this.mapper.release();
  }
}

/**
 * The VAE's moments of a square picture, planes [3, R, R] in −1…1, and of its mirror image where that is asked for.
 * @param encode the VAE's encoder, for one picture
 */
export async function encodePicture(
  encode: (planes: Float32Array<ArrayBuffer>) => Promise<LatentMoments>,
  planes: Float32Array<ArrayBuffer>,
  side: number,
  mirrored: boolean,
): Promise<TrainingPicture> {
  const straight = await encode(planes);
  return { straight, mirrored: mirrored ? await encode(flipPlanes(planes, side)) : null };
}

/** Prompts that leave room for a concept's vectors in the base's rows. */
export function withRoom(pipeline: Pipeline, prompts: readonly string[], vectors: number): string[] {
  return prompts.filter((prompt) => pipeline.tokenizer.count(prompt, vectors) <= pipeline.shape.tokens);
}

/** A further run must not draw the same noise again: it goes on where the file says, else from another seed. */
function randomOf({ earlier, settings }: RunStart): Random {
  if (earlier?.position) return Random.from(earlier.position.random);
  return new Random(settings.seed + (earlier?.info.step ?? 0));
}

async function mapperOf(
  { pipeline, bridge: { backend }, startingMapper }: RunBase,
  { earlier, settings, category, sizes }: RunStart,
  random: Random,
): Promise<{ mapper: Mapper; begunWith: TrainingStart | null }> {
  if (earlier)
    return { mapper: new Mapper(backend, earlier.config, earlier.state), begunWith: earlier.training.start };
  const token = pipeline.tokenizer.singleToken(category.toLowerCase());
  const embedding = await pipeline.tokenEmbedding(token);
  const { variant, nestedDropout } = settings;
  const config = { ...variantConfig(variant, pipeline.shape.layers, embedding, nestedDropout), ...sizes };
  const state = learnedState(startingMapper, settings, config);
  if (state) return { mapper: new Mapper(backend, config, state), begunWith: 'starting-mapper' };
  const create = () =>
    config.network ? createMapper(backend, config, random) : createTable(backend, config, embedding);
  return { mapper: create(), begunWith: 'official' };
}

/** The base's starting mapper where it is asked for and fits. The other variants are compared as the paper begins them. */
function learnedState(
  startingMapper: StartingMapper | null | undefined,
  { start, variant }: TrainSettings,
  config: MapperConfig,
): MapperState | null {
  const isAsked = start === 'starting-mapper' && variant === 'neti';
  return startingMapper && isAsked ? startingState(startingMapper, config) : null;
}

function noRoom(vectors: number): AppError {
  return new AppError(
    'training.request',
    `Training cannot start: none of the model's training prompts has room for a concept of ${vectors} word vectors.`,
  );
}
