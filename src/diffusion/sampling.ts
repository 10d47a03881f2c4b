/**
 * The reverse process with classifier-free guidance (Ho and Salimans 2022): ε = ε_∅ + s·(ε_c − ε_∅). Noise comes from each
 * picture's own seed, so a picture does not depend on which others are made with it.
 */
import type { AttentionMaps } from '../lib/attentionMaps.ts';
import { AppError } from '../lib/errors.ts';
import { checkMarks, marksOf } from '../lib/prompt.ts';
import { Random } from '../lib/random.ts';
import { weighContexts } from './contextWeights.ts';
import { floats, type OrtTensor } from '../ort/runtime.ts';
import type { Pipeline } from './pipeline.ts';
import type { Scheduler } from './samplers/sampler.ts';

/** Contexts of one prompt at one timestep: L layers of [T, D] each, layers outermost. */
export interface StepContexts {
  readonly keys: Float32Array;
  readonly values: Float32Array;
}

/** Contexts of a prompt at the sampler's step `index`. */
export type PromptContexts = (index: number) => StepContexts;

export interface SampleOptions {
  readonly scheduler: Scheduler;
  readonly conditional: PromptContexts;
  readonly unconditional: PromptContexts;
  readonly guidanceScale: number;
  readonly seeds: readonly number[];
  /** Collects where the conditional half looks, at every step. */
  readonly maps?: AttentionMaps;
  readonly signal?: AbortSignal;
  readonly onStep?: (done: number) => void;
}

/** Clean latents [S, C, H, W], one picture a seed. Throws `cancelled` between steps when the signal says so. */
export async function sample(pipeline: Pipeline, options: SampleOptions): Promise<Float32Array> {
  const { scheduler, seeds, signal, onStep } = options;
  const randoms = seeds.map((seed) => new Random(seed));
  let latents = drawNoise(pipeline, randoms).map((x) => x * scheduler.initialScale);
  for (let index = 0; index < scheduler.timesteps.length; index++) {
    if (signal?.aborted) throw new AppError('cancelled', 'The pictures were cancelled.');
    const output = await guidedOutput(pipeline, options, latents, index);
    const noise = scheduler.isRandom ? drawNoise(pipeline, randoms) : undefined;
    latents = scheduler.step(output, index, latents, noise) as Float32Array<ArrayBuffer>;
    onStep?.(index + 1);
  }
  return latents;
}

/** Unit noise [S, C, H, W], each picture's from its own numbers. */
function drawNoise(pipeline: Pipeline, randoms: readonly Random[]): Float32Array<ArrayBuffer> {
  const [channels, height, width] = pipeline.shape.latent;
  const size = channels * height * width;
  const noise = new Float32Array(randoms.length * size);
  randoms.forEach((random, i) => random.fillNormal(noise.subarray(i * size, (i + 1) * size)));
  return noise;
}

async function guidedOutput(
  pipeline: Pipeline,
  options: SampleOptions,
  latents: Float32Array,
  index: number,
): Promise<Float32Array> {
  const { scheduler, seeds, guidanceScale, maps } = options;
  const conditional = options.conditional(index);
  const shared = { pictures: seeds.length, timestep: scheduler.timesteps[index]! };
  const denoise = (parts: readonly StepContexts[], watched = true) =>
    denoiseParts(pipeline, parts, latents, { ...shared, maps: watched ? maps : undefined });
  if (guidanceScale === 1) return denoise([conditional]);
  const parts = [options.unconditional(index), conditional];
  const most = pipeline.shape.picturesAtOnce ?? Infinity;
  // A model that is held to a budget of memory keeps to it here too: one part after the other.
  const [u, c] =
    parts.length * seeds.length > most
      ? [await denoise([parts[0]!], false), await denoise([parts[1]!])]
      : halves(await denoise(parts));
  return u.map((x, i) => x + guidanceScale * (c[i]! - x));
}

function halves(both: Float32Array): [Float32Array, Float32Array] {
  const half = both.length / 2;
  return [both.subarray(0, half), both.subarray(half)];
}

interface PartsOptions {
  readonly pictures: number;
  readonly timestep: number;
  /** Collects where the last part looks. */
  readonly maps?: AttentionMaps | undefined;
}

/** [parts × S, C, H, W]: the latents of all pictures under each part's contexts. */
async function denoiseParts(
  pipeline: Pipeline,
  parts: readonly StepContexts[],
  latents: Float32Array,
  { pictures, timestep, maps }: PartsOptions,
): Promise<Float32Array> {
  const stacked = new Float32Array(parts.length * latents.length);
  for (let part = 0; part < parts.length; part++) stacked.set(latents, part * latents.length);
  const batched = (side: keyof StepContexts) =>
    batchContexts(
      pipeline,
      parts.map((part) => part[side]),
      pictures,
    );
  const inputs = {
    sample: stacked,
    timesteps: new Array<number>(parts.length * pictures).fill(timestep),
    keys: batched('keys'),
    values: batched('values'),
  };
  if (!maps) return pipeline.denoise(inputs);
  const { answer, attention } = await pipeline.denoiseWithAttention(inputs);
  maps.add(attention, (parts.length - 1) * pictures);
  return answer;
}

/** [L, parts × pictures, T, D] from one [L, T, D] a part, each repeated for its pictures. */
export function batchContexts(pipeline: Pipeline, parts: readonly Float32Array[], pictures = 1): OrtTensor {
  const { layers, tokens, contextWidth } = pipeline.shape;
  const size = tokens * contextWidth;
  const batch = parts.length * pictures;
  const data = new Float32Array(layers * batch * size);
  for (let layer = 0; layer < layers; layer++)
    for (let row = 0; row < batch; row++) {
      const source = parts[Math.floor(row / pictures)]!;
      data.set(source.subarray(layer * size, (layer + 1) * size), (layer * batch + row) * size);
    }
  return pipeline.runtime.float(data, [layers, batch, tokens, contextWidth]);
}

/** Contexts of a prompt without a concept: the same at every layer and timestep. Throws `prompt.*`. */
export async function plainContexts(pipeline: Pipeline, prompt: string): Promise<PromptContexts> {
  requireNoMark(prompt);
  const row = pipeline.tokenizer.encode(prompt);
  const encoded = await pipeline.encodeText([row]);
  const { layers, contextWidth } = pipeline.shape;
  const single = (await floats(encoded.keys)).slice();
  encoded.keys.dispose();
  encoded.values.dispose();
  weighContexts(single, row.weights, contextWidth);
  const repeated = new Float32Array(layers * single.length);
  for (let layer = 0; layer < layers; layer++) repeated.set(single, layer * single.length);
  return () => ({ keys: repeated, values: repeated });
}

function requireNoMark(prompt: string): void {
  checkMarks(prompt, null);
  const [name] = marksOf(prompt);
  if (name !== undefined)
    throw new AppError(
      'prompt.name',
      `The prompt has {${name}} but no concept for it. Give one, or remove {${name}}.`,
    );
}
