/**
 * `npm run evaluate -- CONCEPT.safetensors PICTURE.png [MODEL_DIR]`: does the concept explain a picture it was not taught with? The
 * denoising loss on 256 (timestep, noise) pairs, timesteps one from each of 256 equal strata, with the concept in
 * "a photo of a {}" against the best single word the base knows in its place, and the fall with a bootstrap interval.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { mean } from 'simple-statistics';
import type { Pipeline } from '../diffusion/pipeline.ts';
import { Pipeline as FrozenPipeline } from '../diffusion/pipeline.ts';
import type { PromptContexts } from '../diffusion/sampling.ts';
import { batchContexts, plainContexts } from '../diffusion/sampling.ts';
import { Random } from '../lib/random.ts';
import type { Bridge } from '../neti/bridge.ts';
import { createBridge } from '../neti/bridge.ts';
import { readConcept } from '../neti/conceptFile.ts';
import { conceptContexts } from '../neti/contexts.ts';
import { Mapper } from '../neti/mapper.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { nativeRuntime } from './nativeRuntime.ts';
import { pngPlanes } from '../pictures/pngPlanes.ts';
import { bootstrap, type Interval } from './statistics.ts';

const TEMPLATE = 'a photo of a {}';
const PAIR_COUNT = 256;
/** Words are first compared on every eighth pair, which also spans all timesteps; the best go on to all of them. */
const FIRST_ROUND = 8;
const FINALISTS = 8;
const BATCH_SIZE = 32;

interface Pair {
  readonly timestep: number;
  readonly noise: Float32Array;
}

function drawPairs(pipeline: Pipeline, random: Random): Pair[] {
  const [channels, height, width] = pipeline.shape.latent;
  const stratum = pipeline.schedule.timesteps / PAIR_COUNT;
  return Array.from({ length: PAIR_COUNT }, (_, i) => ({
    timestep: Math.floor((i + random.uniform()) * stratum),
    noise: random.fillNormal(new Float32Array(channels * height * width)),
  }));
}

/** Mean squared error of every pair; `contexts` answers for the index of a pair. */
async function losses(
  pipeline: Pipeline,
  clean: Float32Array,
  pairs: readonly Pair[],
  contexts: PromptContexts,
): Promise<number[]> {
  const found: number[] = [];
  for (let start = 0; start < pairs.length; start += BATCH_SIZE) {
    const batch = pairs.slice(start, start + BATCH_SIZE);
    const at = batch.map((_, i) => contexts(start + i));
    const join = (parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => Array.from(part)));
    const sample = join(
      batch.map(({ noise, timestep }) => pipeline.schedule.addNoise(clean, noise, timestep)),
    );
    const target = join(batch.map(({ noise, timestep }) => pipeline.schedule.target(clean, noise, timestep)));
    const inputs = {
      sample,
      timesteps: batch.map(({ timestep }) => timestep),
      keys: batchContexts(
        pipeline,
        at.map(({ keys }) => keys),
      ),
      values: batchContexts(
        pipeline,
        at.map(({ values }) => values),
      ),
    };
    found.push(...(await pipeline.denoiseLosses(inputs, target)));
  }
  return found;
}

/** The vocabulary's word with the lowest loss in the concept's place. */
async function bestWord(
  pipeline: Pipeline,
  clean: Float32Array,
  pairs: readonly Pair[],
  words: readonly string[],
) {
  const measure = async (word: string, chosen: readonly Pair[]) => {
    const contexts = await plainContexts(pipeline, TEMPLATE.replace('{}', word));
    return { word, losses: await losses(pipeline, clean, chosen, contexts) };
  };
  const some = pairs.filter((_, i) => i % FIRST_ROUND === 0);
  const first = [];
  for (const word of words) first.push(await measure(word, some));
  first.sort((a, b) => mean(a.losses) - mean(b.losses));
  const last = [];
  for (const { word } of first.slice(0, FINALISTS)) last.push(await measure(word, pairs));
  return last.sort((a, b) => mean(a.losses) - mean(b.losses))[0]!;
}

/** Fall of the mean loss in %, bootstrapped over the pairs. */
function fall(concept: readonly number[], word: readonly number[], random: Random): Interval {
  const meanOf = (losses: readonly number[], indices: readonly number[]) =>
    mean(indices.map((i) => losses[i]!));
  return bootstrap(
    concept.length,
    (indices) => 100 * (1 - meanOf(concept, indices) / meanOf(word, indices)),
    random,
  );
}

async function pictureLatents(pipeline: Pipeline, path: string): Promise<Float32Array> {
  const planes = pngPlanes(await readFile(path), pipeline.shape.resolution);
  const { mean: latents } = await pipeline.encodeImages(planes, 1);
  return latents.map((x) => x * pipeline.latentScale);
}

async function conceptLosses(
  pipeline: Pipeline,
  bridge: Bridge,
  file: Uint8Array<ArrayBuffer>,
  clean: Float32Array,
  pairs: readonly Pair[],
): Promise<number[]> {
  const { config, state } = await readConcept(file);
  const contexts = await conceptContexts(pipeline, bridge, {
    row: pipeline.tokenizer.encode(TEMPLATE),
    concepts: [{ mapper: new Mapper(bridge.backend, config, state), truncation: config.hidden }],
    timesteps: pairs.map(({ timestep }) => timestep),
  });
  return losses(pipeline, clean, pairs, contexts);
}

const [conceptPath, picturePath, model] = process.argv.slice(2);
if (!conceptPath || !picturePath)
  throw new Error('Expected: npm run evaluate -- CONCEPT.safetensors PICTURE.png [MODEL_DIR]');
const folder = resolve(model ?? join(import.meta.dirname, '../../models/sticker-world'));
const runtime = nativeRuntime();
const pipeline = await FrozenPipeline.load(runtime, openFolder(folder));
const words = JSON.parse(await readFile(join(folder, 'words.json'), 'utf8')) as { words: string[] };
const random = new Random(1);
const pairs = drawPairs(pipeline, random);
const clean = await pictureLatents(pipeline, picturePath);
const file = new Uint8Array(await readFile(conceptPath));
const learned = await conceptLosses(pipeline, createBridge(runtime), file, clean, pairs);
const known = await bestWord(pipeline, clean, pairs, words.words);
const { value: percent, low, high } = fall(learned, known.losses, random);
console.log(
  `concept ${mean(learned).toFixed(4)}, best word "${known.word}" ${mean(known.losses).toFixed(4)}: ` +
    `${percent.toFixed(1)} % lower (95 % interval ${low.toFixed(1)} to ${high.toFixed(1)})`,
);
