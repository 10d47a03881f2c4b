/**
 * Makes pictures of prompts. Contexts depend on prompt, concept, truncation and timesteps but not on seeds, so the last few
 * are kept: a new seed or another picture of the same prompt costs no text encoder.
 */
import type { Pipeline } from '../diffusion/pipeline.ts';
import type { PromptContexts } from '../diffusion/sampler.ts';
import { plainContexts, sample } from '../diffusion/sampler.ts';
import { createScheduler } from '../diffusion/scheduler.ts';
import { placeholder } from '../diffusion/tokenizer.ts';
import { AppError } from '../lib/errors.ts';
import { fromPlanes } from '../lib/pixels.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { Bridge } from '../neti/bridge.ts';
import { readConcept } from '../neti/conceptFile.ts';
import { conceptContexts } from '../neti/contexts.ts';
import { Mapper } from '../neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { identityOf, type BaseModel } from './baseModel.ts';
import type { GenerateProgress, GenerateRequest, GenerateResult, Pixels } from './api.ts';

const keptContexts = 8;
const maxPictures = 16;
const maxSteps = 200;

/** A mapper ready to run, and what tells it from others. */
export interface LearnedConcept {
  readonly key: string;
  readonly mapper: Mapper;
}

export type PaintSettings = Omit<GenerateRequest, 'concept'>;

export class Painter {
  private readonly contexts = new Map<string, PromptContexts>();
  private concept: LearnedConcept | null = null;

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
    const concept = request.concept ? await this.load(request.concept) : null;
    const pictures = await this.paint(request, concept, signal, onProgress);
    return { pictures, seconds: (performance.now() - started) / 1000 };
  }

  /** One picture a seed. Throws `prompt.*`, `generate.settings` or `cancelled`. */
  async paint(
    settings: PaintSettings,
    concept: LearnedConcept | null,
    signal: AbortSignal | undefined,
    onProgress: (progress: GenerateProgress) => void,
  ): Promise<Pixels[]> {
    checkSettings(settings);
    const { pipeline } = this;
    const { steps, seeds, guidanceScale } = settings;
    const scheduler = createScheduler(settings.sampler, pipeline.schedule, steps);
    const started = performance.now();
    const latents = await sample(pipeline, {
      scheduler,
      conditional: await this.conditional(settings, concept, scheduler.timesteps, signal),
      unconditional: await this.cached(`plain:${settings.negativePrompt}`, () =>
        plainContexts(pipeline, settings.negativePrompt),
      ),
      guidanceScale,
      seeds,
      ...(signal && { signal }),
      onStep: (step) => {
        const perStep = (performance.now() - started) / 1000 / step;
        onProgress({ step, steps, secondsLeft: perStep * (steps - step) });
      },
    });
    const { resolution } = pipeline.shape;
    const planes = await pipeline.decodeLatents(latents, seeds.length);
    const size = planes.length / seeds.length;
    return seeds.map((_, i) => fromPlanes(planes.subarray(i * size, (i + 1) * size), resolution, resolution));
  }

  private conditional(
    settings: PaintSettings,
    concept: LearnedConcept | null,
    timesteps: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<PromptContexts> {
    const { pipeline, bridge } = this;
    const { prompt, truncation } = settings;
    checkPlaceholders(prompt, concept !== null);
    if (!concept) return this.cached(`plain:${prompt}`, () => plainContexts(pipeline, prompt));
    const row = pipeline.tokenizer.encode(prompt);
    const key = JSON.stringify([concept.key, prompt, truncation, timesteps]);
    return this.cached(key, () =>
      conceptContexts(pipeline, bridge, {
        row,
        mapper: concept.mapper,
        truncation,
        timesteps,
        ...(signal && { signal }),
      }),
    );
  }

  private async cached(key: string, make: () => Promise<PromptContexts>): Promise<PromptContexts> {
    const contexts = this.contexts.get(key) ?? (await make());
    this.contexts.delete(key);
    this.contexts.set(key, contexts);
    const [oldest] = this.contexts.keys();
    if (this.contexts.size > keptContexts && oldest !== undefined) this.contexts.delete(oldest);
    return contexts;
  }

  private async load(file: Uint8Array<ArrayBuffer>): Promise<LearnedConcept> {
    const key = await sha256Hex(file);
    if (this.concept?.key === key) return this.concept;
    const { config, state } = await readConcept(file, identityOf(this.base));
    const mapper = new Mapper(this.bridge.backend, config, state);
    this.concept?.mapper.release();
    this.concept = { key, mapper };
    return this.concept;
  }
}

function checkPlaceholders(prompt: string, withConcept: boolean): void {
  const marks = prompt.split(placeholder).length - 1;
  if (marks === (withConcept ? 1 : 0)) return;
  throw new AppError(
    'prompt.placeholders',
    withConcept
      ? `The prompt needs exactly one {} where the concept goes, but it has ${marks}: for example "A photo of {} on a beach".`
      : 'The prompt marks a concept with {}, but none is chosen: pick one in the library or take the mark out.',
  );
}

function checkSettings({ steps, seeds, truncation, guidanceScale }: PaintSettings): void {
  const whole = (value: number, from: number, to: number) =>
    Number.isInteger(value) && value >= from && value <= to;
  const wrong = [
    !whole(steps, 1, maxSteps) && `steps must be a whole number from 1 to ${maxSteps}, found ${steps}`,
    !whole(seeds.length, 1, maxPictures) && `1 to ${maxPictures} pictures at a time, found ${seeds.length}`,
    !seeds.every((seed) => Number.isSafeInteger(seed)) &&
      `seeds must be whole numbers, found ${seeds.join(', ')}`,
    !whole(truncation, 1, MAPPER_DEFAULTS.hidden) &&
      `truncation must be a whole number from 1 to ${MAPPER_DEFAULTS.hidden}, found ${truncation}`,
    !Number.isFinite(guidanceScale) && `the guidance scale must be a number, found ${guidanceScale}`,
  ].filter((message) => message !== false);
  if (wrong.length > 0)
    throw new AppError('generate.settings', `The settings do not work: ${wrong.join('; ')}.`);
}
