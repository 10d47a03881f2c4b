/**
 * Makes pictures of prompts. Contexts depend on prompt, concept, truncation and timesteps but not on seeds, so the last few
 * are kept: a new seed or another picture of the same prompt costs no text encoder.
 */
import { AttentionMaps } from '../lib/attentionMaps.ts';
import type { ModelShape, Pipeline } from '../diffusion/pipeline.ts';
import type { PromptContexts } from '../diffusion/sampling.ts';
import { plainContexts, sample } from '../diffusion/sampling.ts';
import { createScheduler } from '../diffusion/samplers/table.ts';
import { chunked } from '../lib/chunked.ts';
import { AppError } from '../lib/errors.ts';
import { fromPlanes } from '../pictures/pixels.ts';
import { checkMarks, marksOf, MAX_MARKS, namesOf, replaceMarks } from '../lib/prompt.ts';
import type { Bridge } from '../neti/bridge.ts';
import { MAX_DRAWN_PICTURES, MAX_SAMPLING_STEPS } from '../neti/limits.ts';
import { readConcept } from '../neti/conceptFile.ts';
import { conceptContexts, type ShownConcept } from '../neti/contexts.ts';
import { focusContexts, type Focus } from '../neti/focus.ts';
import { Mapper } from '../neti/mapper.ts';
import { coarseLayers, mixContexts } from '../neti/mixing.ts';
import { checkRoom } from '../neti/mapperConfig.ts';
import { keyOf, settingsOf, type GivenSettings, type PictureSettings } from '../storage/recipe.ts';
import { identityOf, type BaseModel } from './baseModel.ts';
import type { Attention, ConceptSource, GenerateProgress, GenerateRequest, GenerateResult } from './api.ts';
import type { Pixels } from '../pictures/pixels.ts';

const MOST_KEPT_CONTEXTS = 8;
/** A large model's contexts take 190 MB for 25 steps: fewer are kept, but those of two mixed concepts and of no prompt. */
const LEAST_KEPT_CONTEXTS = 3;
const KEPT_CONTEXT_BYTES = 5e8;
/** Those of a prompt, and one that gives the appearance. */
const KEPT_CONCEPTS = MAX_MARKS + 1;

/** A mapper ready to run, and what tells it from others; null for one that is still learning, whose contexts serve once. */
export interface LearnedConcept {
  readonly key: string | null;
  readonly mapper: Mapper;
  /** Its super-category's word. */
  readonly category: string;
}

/** One picture a seed. */
export type PaintRequest = GivenSettings & Pick<GenerateRequest, 'seeds'>;

/** The concepts that condition a picture, whose vectors stand in its prompt. */
export interface Conditioning {
  /** At `{}`. */
  readonly concept: LearnedConcept | null;
  /** Where the prompt has names, in its order. */
  readonly named?: readonly LearnedConcept[];
  /** Style mixing: `concept` gives the geometry; `start` is the share of the sampling done before, 0 … 1. */
  readonly mixing?: { readonly appearance: LearnedConcept; readonly start: number };
}

interface DenoiseOptions {
  readonly signal: AbortSignal | undefined;
  readonly onProgress: (progress: GenerateProgress) => void;
  /** Collects where the words look. */
  readonly maps?: AttentionMaps;
}

export class Painter {
  private readonly contexts = new Map<string, PromptContexts>();
  /** Least recently used first. */
  private concepts: readonly LearnedConcept[] = [];

  constructor(
    private readonly base: BaseModel,
    private readonly pipeline: Pipeline,
    private readonly bridge: Bridge,
  ) {}

  async generate(
    request: GenerateRequest,
    signal: AbortSignal,
    onProgress: (progress: GenerateProgress) => void,
  ): Promise<GenerateResult> {
    const started = performance.now();
    const pictures = await this.paint(request, await this.conditioning(request), signal, onProgress);
    return { pictures, seconds: (performance.now() - started) / 1000 };
  }

  /** One picture a seed. Throws `prompt.*`, `generate.settings` or `cancelled`. */
  async paint(
    request: PaintRequest,
    conditioning: Conditioning,
    signal: AbortSignal | undefined,
    onProgress: (progress: GenerateProgress) => void,
  ): Promise<Pixels[]> {
    const pictures: Pixels[] = [];
    const decode = async (latents: Float32Array, count: number) => {
      pictures.push(...(await this.decode(latents, count)));
    };
    await this.denoise(request, conditioning, { signal, onProgress }, decode);
    return pictures;
  }

  /** The latents of as many pictures as are drawn at once, one group after another. */
  private async denoise(
    request: PaintRequest,
    conditioning: Conditioning,
    { signal, onProgress, maps }: DenoiseOptions,
    receive: (latents: Float32Array, count: number) => Promise<void>,
  ): Promise<void> {
    checkRequest(request, hiddenUnits(conditioning));
    const { pipeline } = this;
    checkFocus(settingsOf(request).focus, pipeline.shape.layers);
    const { seeds } = request;
    const settings = settingsOf(request);
    const { steps, guidanceScale } = settings;
    const scheduler = createScheduler(settings.sampler, pipeline.schedule, steps);
    const groups = chunked(seeds, pipeline.shape.picturesAtOnce ?? seeds.length);
    const started = performance.now();
    const conditional = await this.conditional(settings, conditioning, scheduler.timesteps, signal);
    const unconditional = await this.cached(`plain:${settings.negativePrompt}`, () =>
      plainContexts(pipeline, settings.negativePrompt),
    );
    const run = {
      scheduler,
      conditional,
      unconditional,
      guidanceScale,
      ...(signal && { signal }),
      ...(maps && { maps }),
    };
    for (const [done, group] of groups.entries()) {
      const onStep = (step: number) => {
        const share = (done * steps + step) / groups.length;
        const perStep = (performance.now() - started) / 1000 / share;
        onProgress({ step: Math.floor(share), steps, secondsLeft: perStep * (steps - share) });
      };
      const latents = await sample(pipeline, { ...run, seeds: group, onStep });
      await receive(latents, group.length);
    }
  }

  /** Where the words of one picture look: it is denoised again. Throws as `generate`. */
  async attention(
    request: GenerateRequest,
    signal: AbortSignal,
    onProgress: (progress: GenerateProgress) => void,
  ): Promise<Attention> {
    const { tokenizer, shape } = this.pipeline;
    const conditioning = await this.conditioning(request);
    const vectors = atMarks(request.prompt, conditioning).map(({ mapper }) => mapper.config.vectors);
    const spans = tokenizer.wordSpans(request.prompt, vectors);
    const maps = new AttentionMaps({ ...shape, pictures: 1 });
    const one = { ...request, seeds: request.seeds.slice(0, 1) };
    await this.denoise(one, conditioning, { signal, onProgress, maps }, () => Promise.resolve());
    const mean = maps.mean();
    const size = maps.side ** 2;
    const words = spans.map(({ text, first, count }) => ({
      text,
      map: sumOfPlanes(mean.subarray(first * size, (first + count) * size), size),
    }));
    return { side: maps.side, words };
  }

  private async decode(latents: Float32Array, count: number): Promise<Pixels[]> {
    const { resolution } = this.pipeline.shape;
    const planes = await this.pipeline.decodeLatents(latents, count);
    const size = planes.length / count;
    return Array.from({ length: count }, (_, i) =>
      fromPlanes(planes.subarray(i * size, (i + 1) * size), resolution, resolution),
    );
  }

  private async conditional(
    settings: PictureSettings,
    conditioning: Conditioning,
    timesteps: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<PromptContexts> {
    const { pipeline } = this;
    const { prompt } = settings;
    const { concept, mixing } = conditioning;
    checkMarks(prompt, concept && 'the concept');
    const marked = atMarks(prompt, conditioning);
    if (marked.length === 0) return this.cached(`plain:${prompt}`, () => plainContexts(pipeline, prompt));
    const geometry = await this.contextsOf(marked, settings, timesteps, signal);
    if (!mixing) return geometry;
    const appearing = atMarks(prompt, { ...conditioning, concept: mixing.appearance });
    return mixContexts({
      geometry,
      appearance: await this.contextsOf(appearing, settings, timesteps, signal),
      coarse: coarseLayers(pipeline.shape.positions),
      start: (1 - mixing.start) * pipeline.schedule.timesteps,
      timesteps,
    });
  }

  /** @param marked the concepts at the prompt's marks */
  private contextsOf(
    marked: readonly LearnedConcept[],
    settings: PictureSettings,
    timesteps: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<PromptContexts> {
    const make = () => this.focused(marked, settings, timesteps, signal);
    const keys = marked.map(({ key }) => key);
    return keys.includes(null)
      ? make()
      : this.cached(`${keys.join()}:${keyOf(settings, 'negativePrompt', 'guidanceScale')}`, make);
  }

  /** What is out of focus at `{}` is frozen, or the category's word; concepts that are called by name are always whole. */
  private async focused(
    marked: readonly LearnedConcept[],
    { prompt, focus, truncation }: PictureSettings,
    timesteps: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<PromptContexts> {
    const shown = shownAt(prompt, marked, truncation, focus);
    const encode = (words: string, concepts: readonly ShownConcept[]) => {
      const row = this.pipeline.tokenizer.encode(
        words,
        concepts.map(({ mapper }) => mapper.config.vectors),
      );
      const marks = { row, concepts, timesteps, ...(signal && { signal }) };
      return concepts.length === 0
        ? plainContexts(this.pipeline, words)
        : conceptContexts(this.pipeline, this.bridge, marks);
    };
    const own = await encode(prompt, shown);
    if (focus?.outside !== 'category') return own;
    const isNamed = marksOf(prompt).map((name) => name !== '');
    const words = replaceMarks(prompt, (name, mark) =>
      isNamed[mark] ? `{${name}}` : marked[mark]!.category,
    );
    const word = await encode(
      words,
      shown.filter((_, mark) => isNamed[mark]),
    );
    return focusContexts({ focus, own, word, layers: this.pipeline.shape.layers, timesteps });
  }

  private async cached(key: string, make: () => Promise<PromptContexts>): Promise<PromptContexts> {
    const contexts = this.contexts.get(key) ?? (await make());
    this.contexts.delete(key);
    this.contexts.set(key, contexts);
    const [oldest] = this.contexts.keys();
    if (this.contexts.size > keptContexts(this.pipeline.shape) && oldest !== undefined)
      this.contexts.delete(oldest);
    return contexts;
  }

  private async conditioning({ concept, named: sources, mixing }: GenerateRequest): Promise<Conditioning> {
    const named: LearnedConcept[] = [];
    for (const source of sources) named.push(await this.load(source));
    if (!concept) return { concept, named };
    const geometry = await this.load(concept);
    if (!mixing) return { concept: geometry, named };
    const { appearance, start } = mixing;
    if (start >= 0 && start <= 1)
      return { concept: geometry, named, mixing: { appearance: await this.load(appearance), start } };
    throw new AppError('generate.settings', `The mixing start must be from 0 to 1, found ${start}.`);
  }

  /** The concept, ready to run until others take its place. Throws as `readConcept`. */
  async load({ key, file }: ConceptSource): Promise<LearnedConcept> {
    const learned = this.concepts.find((each) => each.key === key) ?? (await this.read(key, file));
    const others = this.concepts.filter((each) => each !== learned);
    const dropped = others.slice(0, Math.max(0, others.length + 1 - KEPT_CONCEPTS));
    for (const { mapper } of dropped) mapper.release();
    this.concepts = [...others.slice(dropped.length), learned];
    return learned;
  }

  private async read(key: string, file: Blob): Promise<LearnedConcept> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    const { config, state, info } = await readConcept(bytes, identityOf(this.base));
    checkRoom(config.vectors, this.pipeline.shape.tokens);
    return { key, mapper: new Mapper(this.bridge.backend, config, state), category: info.category };
  }
}

/** How many prompts' contexts are kept, each of L layers × T tokens × D numbers, keys and values, at the usual 25 steps. */
function keptContexts({ layers, tokens, contextWidth }: ModelShape): number {
  const bytes = 25 * layers * tokens * contextWidth * 2 * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(LEAST_KEPT_CONTEXTS, Math.min(MOST_KEPT_CONTEXTS, Math.floor(KEPT_CONTEXT_BYTES / bytes)));
}

/** The concept at each mark of the prompt. Throws `prompt.name` where the prompt calls more of them, or fewer, than there are. */
function atMarks(prompt: string, { concept, named = [] }: Conditioning): LearnedConcept[] {
  const [marks, names] = [marksOf(prompt), namesOf(prompt)];
  if (named.length !== names.length)
    throw new AppError(
      'prompt.name',
      `The prompt calls ${names.length} concepts by name, and ${named.length} were given; write it anew.`,
    );
  const left = [...named];
  return marks.flatMap((name) => (name === '' ? (concept ?? []) : left.shift()!));
}

/** What each mark shows of its concept: one object for what is the same at several. */
function shownAt(
  prompt: string,
  marked: readonly LearnedConcept[],
  truncation: number,
  focus: Focus | null,
): ShownConcept[] {
  const known = { frozen: new Map<Mapper, ShownConcept>(), whole: new Map<Mapper, ShownConcept>() };
  return marksOf(prompt).map((name, mark) => {
    const { mapper } = marked[mark]!;
    const frozen = name === '' ? focus : null;
    const kept = frozen ? known.frozen : known.whole;
    const shown = kept.get(mapper) ?? {
      mapper,
      truncation: Math.min(truncation, mapper.config.hidden),
      frozen,
    };
    kept.set(mapper, shown);
    return shown;
  });
}

function sumOfPlanes(planes: Float32Array, size: number): Float32Array {
  const sum = new Float32Array(size);
  planes.forEach((value, i) => (sum[i % size]! += value));
  return sum;
}

/** Hidden units of the larger mapper that a truncation applies to; null where none has any. */
function hiddenUnits({ concept, named = [], mixing }: Conditioning): number | null {
  const configs = [concept, ...named, mixing?.appearance].flatMap((each) =>
    each ? [each.mapper.config] : [],
  );
  const networks = configs.filter(({ network }) => network);
  return networks.length === 0 ? null : Math.max(...networks.map(({ hidden }) => hidden));
}

/** @param most that the truncation may be; null for pictures without one */
function checkRequest({ steps, seeds, truncation, guidanceScale }: PaintRequest, most: number | null): void {
  const whole = (value: number, from: number, to: number) =>
    Number.isInteger(value) && value >= from && value <= to;
  const wrong = [
    !whole(steps, 1, MAX_SAMPLING_STEPS) &&
      `steps must be a whole number from 1 to ${MAX_SAMPLING_STEPS}, found ${steps}`,
    !whole(seeds.length, 1, MAX_DRAWN_PICTURES) &&
      `1 to ${MAX_DRAWN_PICTURES} pictures at a time, found ${seeds.length}`,
    !seeds.every((seed) => Number.isSafeInteger(seed)) &&
      `seeds must be whole numbers, found ${seeds.join(', ')}`,
    most !== null &&
      !whole(truncation, 1, most) &&
      `truncation must be a whole number from 1 to ${most}, found ${truncation}`,
    !Number.isFinite(guidanceScale) && `the guidance scale must be a number, found ${guidanceScale}`,
  ].filter((message) => message !== false);
  if (wrong.length > 0)
    throw new AppError('generate.settings', `The settings do not work: ${wrong.join('; ')}.`);
}

function checkFocus(focus: Focus | null, layers: number): void {
  if (focus === null) return;
  const { fromTimestep, toTimestep, fromLayer, toLayer } = focus;
  if (fromTimestep >= toTimestep && fromLayer <= toLayer && toLayer < layers) return;
  throw new AppError(
    'generate.settings',
    `The focus must go from a timestep to a lower one and lie among the model's ${layers} layers, found timesteps ` +
      `${fromTimestep} to ${toTimestep}, layers ${fromLayer + 1} to ${toLayer + 1}. Choose it again on the map.`,
  );
}
