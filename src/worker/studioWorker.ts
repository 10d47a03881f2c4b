/**
 * The studio's engine room: one object that owns the runtime, the frozen pipeline, the trainer and the sampler.
 * Calls may come in any order. The mutex makes heavy work take turns; training holds it for one step at a time, so
 * pictures can be generated while it runs. Every call answers with a value or a plain error, never by throwing.
 */
import { Pipeline } from '../diffusion/pipeline.ts';
import { AppError, toPlainError, type PlainError } from '../lib/errors.ts';
import { Mutex } from '../lib/mutex.ts';
import { fromPlanes, psnr, toPlanes } from '../pictures/pixels.ts';
import { createBridge } from '../neti/bridge.ts';
import { readConcept, relabelConcept } from '../neti/conceptFile.ts';
import { checkRoom } from '../neti/mapperConfig.ts';
import { computesInHalf, openEngine } from '../ort/engine.ts';
import { readCached } from '../storage/modelCache.ts';
import { ModelStore } from '../storage/modelStore.ts';
import { opfsTree } from '../storage/opfs.ts';
import type {
  Attention,
  BaseModelInfo,
  KnownModels,
  ModelAnswer,
  ModelOffer,
  ModelList,
  ModelSourceRequest,
  ExportedConcept,
  ExportFormat,
  GenerateProgress,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
  NearWordsRequest,
  OpenRequest,
  Opened,
  PromptCheck,
  Reconstruction,
  ScoreRequest,
  SpaceTimeMap,
  SpaceTimeRequest,
  TrainEvent,
  TrainRequest,
  TrainResult,
} from './api.ts';
import { identityOf, type BaseModel } from './baseModel.ts';
import { exportForeign, importForeign } from './exchange.ts';
import { openKeptModel } from './keptModel.ts';
import { LazyJudge } from './lazyJudge.ts';
import { ModelCatalog } from './modelCatalog.ts';
import { Painter } from './painter.ts';
import { PictureEncoder } from './pictureEncoder.ts';
import { toSquare } from '../pictures/scale.ts';
import { openShippedModel } from './shippedModel.ts';
import { checkPrompt } from './promptCheck.ts';
import { SpaceTimeReader } from './spaceTimeReader.ts';
import type { Studio } from './studio.ts';
import { trainConcept } from './training.ts';
import type { IntakeProgress } from '../intake/progress.ts';
import type { ModelPlan } from '../intake/plan.ts';
import type { ConceptInfo, ConceptLabel } from '../neti/conceptMetadata.ts';
import type { NearWord } from '../neti/spaceTime.ts';
import type { NamedFile } from '../neti/foreign/importConcept.ts';
import type { Pixels } from '../pictures/pixels.ts';
import type { Scores } from '../diffusion/judge.ts';

/** What comes of a call: errors cross the boundary as plain objects. */
export interface CallResult<T> {
  readonly value?: T;
  readonly error?: PlainError;
}

export class StudioWorker {
  private studio: Studio | null = null;
  /** The training under way, and what ends it when another engine takes over. */
  private training: { readonly ended: Promise<unknown>; readonly stop: AbortController } | null = null;
  private readonly calls = new Map<number, AbortController>();
  private readonly opening = new Mutex();
  private readonly catalog = new ModelCatalog(new ModelStore(opfsTree()));
  private openings = 0;
  private noteLoss: (reason: string) => void = () => undefined;
  private readonly loss = new Promise<string>((resolve) => (this.noteLoss = resolve));

  ping(): boolean {
    return true;
  }

  /** Holds a lock until the worker ends. True once it is held. */
  holdLock(name: string): Promise<boolean> {
    return new Promise((resolve) => {
      const endless = () => {
        resolve(true);
        return new Promise(() => undefined);
      };
      navigator.locks.request(name, endless).catch(() => resolve(false));
    });
  }

  /** Answers with the reason when the graphics card is lost: nothing here works after that. */
  graphicsLost(): Promise<string> {
    return this.loss;
  }

  cancel(id: number): void {
    this.calls.get(id)?.abort();
  }

  open(
    id: number,
    request: OpenRequest,
    onEvent: (event: LoadProgress) => void,
  ): Promise<CallResult<Opened>> {
    return this.answer(id, (signal) => this.opening.run(() => this.openStudio(request, signal, onEvent)));
  }

  models(id: number): Promise<CallResult<ModelList>> {
    return this.answer(id, () => this.catalog.info());
  }

  knownModels(id: number): Promise<CallResult<KnownModels>> {
    return this.answer(id, () => this.catalog.known());
  }

  planModel(id: number, request: ModelSourceRequest): Promise<CallResult<ModelAnswer>> {
    return this.answer(id, (signal) => this.catalog.plan(request, signal));
  }

  resumeModel(id: number, model: string): Promise<CallResult<ModelOffer>> {
    return this.answer(id, () => this.catalog.resume(model));
  }

  fetchModel(
    id: number,
    plan: ModelPlan,
    onEvent: (event: IntakeProgress) => void,
  ): Promise<CallResult<void>> {
    return this.answer(id, (signal) => this.catalog.fetch(plan, signal, onEvent));
  }

  removeModel(id: number, model: string): Promise<CallResult<void>> {
    return this.answer(id, () => {
      if (this.studio?.base.keptId === model)
        throw new AppError('model.open', 'This model is open. Open another one first, then remove it.');
      return this.catalog.store.remove(model);
    });
  }

  reconstruct(id: number, picture: Pixels): Promise<CallResult<Reconstruction>> {
    return this.answer(id, async () => {
      const { pipeline, encoder, mutex } = this.opened();
      const { resolution } = pipeline.shape;
      const planes = toPlanes(await toSquare(picture, resolution));
      return mutex.run(async () => {
        const { mean } = await encoder.encode(planes);
        const seen = await pipeline.decodeLatents(
          mean.map((x) => x * pipeline.latentScale),
          1,
        );
        return { picture: fromPlanes(seen, resolution, resolution), psnr: psnr(seen, planes) };
      });
    });
  }

  checkCategory(id: number, word: string): Promise<CallResult<void>> {
    return this.answer(id, () => {
      const { base, pipeline } = this.opened();
      const known = word.trim().toLowerCase();
      if (base.words.words?.includes(known) === false)
        throw new AppError(
          'category.unknown',
          `The model does not know the word "${word}". Choose one it does, such as ${base.words.categories.join(', ')}.`,
        );
      pipeline.tokenizer.singleToken(known);
    });
  }

  checkPrompt(id: number, prompt: string, vectors: readonly number[]): Promise<CallResult<PromptCheck>> {
    return this.answer(id, () => {
      const { tokenizer } = this.opened().pipeline;
      return checkPrompt(tokenizer, prompt, vectors);
    });
  }

  train(
    id: number,
    request: TrainRequest,
    onEvent: (event: TrainEvent) => void,
  ): Promise<CallResult<TrainResult>> {
    return this.answer(id, async (signal) => {
      if (this.training)
        throw new AppError(
          'training.busy',
          'A concept is being trained already; wait for it or stop it first.',
        );
      const stop = new AbortController();
      const run = trainConcept(this.opened(), request, AbortSignal.any([signal, stop.signal]), onEvent);
      this.training = { ended: run.catch(() => undefined), stop };
      try {
        return await run;
      } finally {
        this.training = null;
      }
    });
  }

  generate(
    id: number,
    request: GenerateRequest,
    onEvent: (event: GenerateProgress) => void,
  ): Promise<CallResult<GenerateResult>> {
    return this.answer(id, (signal) => {
      const { painter, mutex } = this.opened();
      return mutex.run(() => painter.generate(request, signal, onEvent));
    });
  }

  attention(
    id: number,
    request: GenerateRequest,
    onEvent: (event: GenerateProgress) => void,
  ): Promise<CallResult<Attention>> {
    return this.answer(id, (signal) => {
      const { painter, mutex } = this.opened();
      return mutex.run(() => painter.attention(request, signal, onEvent));
    });
  }

  score(id: number, request: ScoreRequest): Promise<CallResult<readonly Scores[]>> {
    return this.answer(id, async () => {
      const { judge, pipeline, mutex } = this.opened();
      const { resolution } = pipeline.shape;
      const planes = (pictures: readonly Pixels[]) =>
        Promise.all(pictures.map(async (each) => toPlanes(await toSquare(each, resolution))));
      const [pictures, given] = [await planes(request.pictures), await planes(request.given)];
      return mutex.run(() => judge.score(pictures, request.prompt, given));
    });
  }

  spaceTime(id: number, request: SpaceTimeRequest): Promise<CallResult<SpaceTimeMap>> {
    return this.answer(id, () => {
      const { maps, mutex } = this.opened();
      return mutex.run(() => maps.map(request));
    });
  }

  nearestWords(id: number, request: NearWordsRequest): Promise<CallResult<readonly NearWord[]>> {
    return this.answer(id, () => {
      const { maps, mutex } = this.opened();
      return mutex.run(() => maps.nearest(request));
    });
  }

  inspectConcept(id: number, file: Uint8Array<ArrayBuffer>): Promise<CallResult<ConceptInfo>> {
    return this.answer(id, async () => {
      const { base, pipeline } = this.opened();
      const { config, info } = await readConcept(file, identityOf(base));
      checkRoom(config.vectors, pipeline.shape.tokens);
      return info;
    });
  }

  importConcepts(id: number, files: readonly NamedFile[]): Promise<CallResult<Uint8Array<ArrayBuffer>[]>> {
    return this.answer(id, () => importForeign(this.opened(), files));
  }

  exportConcept(
    id: number,
    file: Uint8Array<ArrayBuffer>,
    format: ExportFormat,
  ): Promise<CallResult<ExportedConcept>> {
    return this.answer(id, () => exportForeign(this.opened(), file, format));
  }

  relabelConcept(
    id: number,
    file: Uint8Array<ArrayBuffer>,
    label: ConceptLabel,
  ): Promise<CallResult<Uint8Array<ArrayBuffer>>> {
    return this.answer(id, () => relabelConcept(file, label));
  }

  private opened(): Studio {
    if (this.studio) return this.studio;
    throw new AppError('model.closed', 'No base model is open yet; wait until it has loaded.');
  }

  private async openStudio(
    { root, provider, model }: OpenRequest,
    signal: AbortSignal,
    onEvent: (event: LoadProgress) => void,
  ): Promise<Opened> {
    const base = await (model === null
      ? openShippedModel(root, onEvent)
      : openKeptModel(this.catalog.store, model, {
          half: await computesInHalf(provider),
          signal,
          onProgress: onEvent,
        }));
    const total = base.bytes;
    const fetchBinary = async (url: string) => (await readCached({ url })).buffer;
    onEvent({ status: 'progress', part: 'the engine', loaded: total, total });
    const opening = ++this.openings;
    const engine = await openEngine(provider, fetchBinary, (reason) => {
      // A device that was given up may go as it likes.
      if (opening === this.openings) this.noteLoss(reason);
    });
    // First, so that two models are never in memory at once.
    await this.close();
    const pipeline = await Pipeline.load(engine.runtime, base.open, (part) => {
      signal.throwIfAborted();
      onEvent({ status: 'progress', part, loaded: total, total });
    });
    const bridge = createBridge(engine.runtime);
    const painter = new Painter(base, pipeline, bridge);
    this.studio = {
      base,
      pipeline,
      bridge,
      encoder: new PictureEncoder(pipeline),
      painter,
      maps: new SpaceTimeReader(base, pipeline, bridge, painter),
      judge: new LazyJudge(base, pipeline),
      mutex: new Mutex(),
    };
    onEvent({ status: 'ready', part: base.title, loaded: total, total });
    return { engine: engine.choice, base: describe(base, pipeline) };
  }

  /** Frees what is open once the work on it is done; a training stops and keeps what it learned. */
  private async close(): Promise<void> {
    if (!this.studio) return;
    const { mutex, pipeline, bridge, judge } = this.studio;
    this.training?.stop.abort();
    await this.training?.ended;
    await mutex.run(async () => {
      await pipeline.release();
      await judge.release();
      bridge.backend.destroy();
    });
    this.studio = null;
  }

  private async answer<T>(id: number, call: (signal: AbortSignal) => Promise<T> | T): Promise<CallResult<T>> {
    const controller = new AbortController();
    this.calls.set(id, controller);
    try {
      return { value: await call(controller.signal) };
    } catch (error) {
      return { error: toPlainError(error) };
    } finally {
      this.calls.delete(id);
    }
  }
}

function describe(base: BaseModel, { shape, tokenizer, schedule }: Pipeline): BaseModelInfo {
  const { words, bytes, judged, startingMapper, samples, defaults } = base;
  const identity = { id: base.id, title: base.title, keptId: base.keptId, hash: base.hash };
  const { resolution, tokens, layers } = shape;
  const { timesteps } = schedule;
  const isOneToken = (word: string) => tokenizer.count(word) === tokenizer.count('') + 1;
  const categories = words.categories.filter(isOneToken);
  const vocabulary = { words: words.words, categories, suggestions: words.suggestions };
  return {
    ...identity,
    resolution,
    tokens,
    layers,
    timesteps,
    bytes,
    judged,
    startingMapper,
    defaults,
    samples,
    vocabulary,
  };
}
