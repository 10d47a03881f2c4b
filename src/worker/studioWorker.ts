/**
 * The studio's engine room: one object that owns the runtime, the frozen pipeline, the trainer and the sampler.
 * Calls may come in any order. The mutex makes heavy work take turns; training holds it for one step at a time, so
 * pictures can be generated while it runs. Every call answers with a value or a plain error, never by throwing.
 */
import { Pipeline } from '../diffusion/pipeline.ts';
import { AppError, toPlainError, type PlainError } from '../lib/errors.ts';
import { Mutex } from '../lib/mutex.ts';
import { fromPlanes, psnr, toPlanes } from '../lib/pixels.ts';
import { createBridge } from '../neti/bridge.ts';
import { readConcept, relabelConcept } from '../neti/conceptFile.ts';
import { openEngine } from '../ort/engine.ts';
import { readCached } from '../storage/modelCache.ts';
import type {
  BaseModelInfo,
  ConceptInfo,
  ExportedConcept,
  ExportFormat,
  GenerateProgress,
  GenerateRequest,
  GenerateResult,
  LoadProgress,
  NamedFile,
  OpenRequest,
  Opened,
  Pixels,
  PromptCheck,
  Reconstruction,
  ScoreRequest,
  Scores,
  TrainEvent,
  TrainRequest,
  TrainResult,
} from './api.ts';
import { hasJudge, identityOf, openBaseModel, vocabularyOf, type BaseModel } from './baseModel.ts';
import { exportForeign, importForeign } from './exchange.ts';
import { LazyJudge } from './lazyJudge.ts';
import { Painter } from './painter.ts';
import { toSquare } from './pictures.ts';
import type { Studio } from './studio.ts';
import { trainConcept } from './training.ts';

/** The answer to a call: errors cross the boundary as plain objects. */
export interface Answer<T> {
  readonly value?: T;
  readonly error?: PlainError;
}

export class StudioWorker {
  private studio: Studio | null = null;
  /** The training under way, and what ends it when another engine takes over. */
  private training: { readonly ended: Promise<unknown>; readonly stop: AbortController } | null = null;
  private readonly calls = new Map<number, AbortController>();
  private readonly opening = new Mutex();
  private lostReason: string | null = null;

  ping(): boolean {
    return true;
  }

  cancel(id: number): void {
    this.calls.get(id)?.abort();
  }

  open(id: number, request: OpenRequest, onEvent: (event: LoadProgress) => void): Promise<Answer<Opened>> {
    return this.answer(id, () => this.opening.run(() => this.openStudio(request, onEvent)));
  }

  reconstruct(id: number, picture: Pixels): Promise<Answer<Reconstruction>> {
    return this.answer(id, async () => {
      const { pipeline, mutex } = this.opened();
      const { resolution } = pipeline.shape;
      const planes = toPlanes(await toSquare(picture, resolution));
      return mutex.run(async () => {
        const { mean } = await pipeline.encodeImages(planes, 1);
        const seen = await pipeline.decodeLatents(
          mean.map((x) => x * pipeline.latentScale),
          1,
        );
        return { picture: fromPlanes(seen, resolution, resolution), psnr: psnr(seen, planes) };
      });
    });
  }

  checkCategory(id: number, word: string): Promise<Answer<void>> {
    return this.answer(id, () => {
      const { base, pipeline } = this.opened();
      const known = word.trim().toLowerCase();
      if (!base.words.words.includes(known))
        throw new AppError(
          'category.unknown',
          `The model does not know the word "${word}". Choose one it does, such as ${base.words.categories.join(', ')}.`,
        );
      pipeline.tokenizer.singleToken(known);
    });
  }

  checkPrompt(id: number, prompt: string): Promise<Answer<PromptCheck>> {
    return this.answer(id, () => {
      const { base, pipeline } = this.opened();
      const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
      const known = new Set(base.words.words);
      return {
        tokens: pipeline.tokenizer.count(prompt),
        maxTokens: pipeline.shape.tokens,
        unknownWords: [...new Set(words.filter((word) => !known.has(word)))],
      };
    });
  }

  train(
    id: number,
    request: TrainRequest,
    onEvent: (event: TrainEvent) => void,
  ): Promise<Answer<TrainResult>> {
    return this.answer(id, async (signal) => {
      if (this.training)
        throw new AppError('train.busy', 'A concept is being trained already; wait for it or stop it first.');
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
  ): Promise<Answer<GenerateResult>> {
    return this.answer(id, (signal) => {
      const { painter, mutex } = this.opened();
      return mutex.run(() => painter.generate(request, signal, onEvent));
    });
  }

  score(id: number, request: ScoreRequest): Promise<Answer<readonly Scores[]>> {
    return this.answer(id, async () => {
      const { judge, pipeline, mutex } = this.opened();
      const { resolution } = pipeline.shape;
      const planes = (pictures: readonly Pixels[]) =>
        Promise.all(pictures.map(async (each) => toPlanes(await toSquare(each, resolution))));
      const [pictures, given] = [await planes(request.pictures), await planes(request.given)];
      return mutex.run(() => judge.score(pictures, request.prompt, given));
    });
  }

  inspectConcept(id: number, file: Uint8Array<ArrayBuffer>): Promise<Answer<ConceptInfo>> {
    return this.answer(id, async () => {
      const { info } = await readConcept(file, identityOf(this.opened().base));
      return info;
    });
  }

  importConcept(id: number, files: readonly NamedFile[]): Promise<Answer<Uint8Array<ArrayBuffer>>> {
    return this.answer(id, () => importForeign(this.opened(), files));
  }

  exportConcept(
    id: number,
    file: Uint8Array<ArrayBuffer>,
    format: ExportFormat,
  ): Promise<Answer<ExportedConcept>> {
    return this.answer(id, () => exportForeign(this.opened(), file, format));
  }

  relabelConcept(
    id: number,
    file: Uint8Array<ArrayBuffer>,
    label: { name: string; thumbnail: string },
  ): Promise<Answer<Uint8Array<ArrayBuffer>>> {
    return this.answer(id, () => relabelConcept(file, label));
  }

  private opened(): Studio {
    if (this.lostReason !== null)
      throw new AppError('engine.lost', `The graphics card stopped: ${this.lostReason}.`);
    if (this.studio) return this.studio;
    throw new AppError('model.closed', 'No base model is open yet; wait until it has loaded.');
  }

  private async openStudio(request: OpenRequest, onEvent: (event: LoadProgress) => void): Promise<Opened> {
    const { root, provider } = request;
    const base = await openBaseModel(root, onEvent);
    const total = base.bytes;
    const fetchBinary = async (url: string) => (await readCached({ url })).buffer;
    onEvent({ status: 'progress', file: 'the engine', loaded: total, total });
    const engine = await openEngine(provider, fetchBinary, (reason) => {
      this.lostReason = reason;
    });
    const pipeline = await Pipeline.load(engine.runtime, base.read, (part) => {
      onEvent({ status: 'progress', file: part, loaded: total, total });
    });
    await this.close();
    const bridge = createBridge(engine.runtime);
    this.studio = {
      base,
      pipeline,
      bridge,
      painter: new Painter(base, pipeline, bridge),
      judge: new LazyJudge(base, pipeline),
      mutex: new Mutex(),
    };
    onEvent({ status: 'ready', file: base.entry.title, loaded: total, total });
    return { engine: engine.choice, base: describe(base, pipeline, root) };
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
  }

  private async answer<T>(id: number, call: (signal: AbortSignal) => Promise<T> | T): Promise<Answer<T>> {
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

function describe({ entry, words, bytes }: BaseModel, pipeline: Pipeline, root: string): BaseModelInfo {
  const url = (path: string) => new URL(`models/${entry.path}/${path}`, root).href;
  return {
    id: entry.id,
    title: entry.title,
    hash: entry.hash,
    resolution: pipeline.shape.resolution,
    tokens: pipeline.shape.tokens,
    layers: pipeline.shape.layers,
    bytes,
    judged: hasJudge(entry),
    vocabulary: vocabularyOf(words),
    samples: entry.samples.map((sample) => ({ ...sample, pictures: sample.pictures.map(url) })),
  };
}
