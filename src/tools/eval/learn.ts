/**
 * One cell of the comparison: a variant learns a concept with the studio's own trainer, and draws the study's prompts at each
 * checkpoint. A cell whose run.json is there, of the same base and settings, is not done again.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encode } from 'fast-png';
import { z } from 'zod';
import type { Pipeline } from '../../diffusion/pipeline.ts';
import { plainContexts, sample, type PromptContexts } from '../../diffusion/sampler.ts';
import { createScheduler } from '../../diffusion/scheduler.ts';
import { flipPlanes, fromPlanes } from '../../lib/pixels.ts';
import { Random } from '../../lib/random.ts';
import { createBridge, type Bridge } from '../../neti/bridge.ts';
import { conceptContexts } from '../../neti/contexts.ts';
import { createMapper, createTable, type Mapper } from '../../neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../../neti/mapperConfig.ts';
import { defaultTrainSettings } from '../../neti/settings.ts';
import { Trainer, type TrainingPicture } from '../../neti/trainer.ts';
import { variantConfig, type VariantName } from '../../neti/variants.ts';
import { pngPlanes } from './pictures.ts';
import { checkpointFile, lastCheckpoint, study, truncationFile, type StudyConcept } from './study.ts';

export interface Bench {
  readonly pipeline: Pipeline;
  /** Prompts with one `{}` each that are true of any picture. */
  readonly templates: readonly string[];
  /** SHA-256 of the base's networks. */
  readonly baseHash: string;
  readonly out: string;
}

const runSchema = z.object({
  baseHash: z.string(),
  study: z.string(),
  seconds: z.number(),
  losses: z.array(z.number()),
});
const studyKey = JSON.stringify([study, defaultTrainSettings]);

/** Seconds of training; null when the cell was there already. */
export async function learn(
  bench: Bench,
  variant: VariantName,
  concept: StudyConcept,
): Promise<number | null> {
  const record = join(dirname(checkpointFile(bench.out, variant, concept.folder, 0)), 'run.json');
  if (await isDone(record, bench.baseHash)) return null;
  const bridge = createBridge(bench.pipeline.runtime);
  const random = new Random(study.trainingSeed);
  const mapper = await freshMapper(bench.pipeline, bridge, variant, concept.category, random);
  const trainer = new Trainer({
    ...{ pipeline: bench.pipeline, bridge, mapper, random },
    pictures: await encodePictures(bench.pipeline, concept),
    templates: bench.templates,
    settings: defaultTrainSettings,
  });
  const losses: number[] = [];
  let milliseconds = 0;
  for (let step = 1; step <= lastCheckpoint; step++) {
    const started = performance.now();
    losses.push((await trainer.step()).loss);
    milliseconds += performance.now() - started;
    if ((study.checkpoints as readonly number[]).includes(step))
      await draw(bench, bridge, mapper, checkpointFile(bench.out, variant, concept.folder, step));
  }
  if (variant === 'neti')
    for (const kept of study.truncations)
      if (kept < MAPPER_DEFAULTS.hidden)
        await draw(bench, bridge, mapper, truncationFile(bench.out, concept.folder, kept), kept);
  const seconds = milliseconds / 1000;
  await writeFile(record, JSON.stringify({ baseHash: bench.baseHash, study: studyKey, seconds, losses }));
  trainer.release();
  mapper.release();
  return seconds;
}

async function isDone(record: string, baseHash: string): Promise<boolean> {
  const text = await readFile(record, 'utf8').catch(() => null);
  if (text === null) return false;
  const { success, data } = runSchema.safeParse(JSON.parse(text));
  return success && data.baseHash === baseHash && data.study === studyKey;
}

async function freshMapper(
  pipeline: Pipeline,
  { backend }: Bridge,
  variant: VariantName,
  category: string,
  random: Random,
): Promise<Mapper> {
  const embedding = await pipeline.tokenEmbedding(pipeline.tokenizer.singleToken(category));
  const config = variantConfig(variant, pipeline.shape.layers, embedding);
  return config.network ? createMapper(backend, config, random) : createTable(backend, config, embedding);
}

async function encodePictures(pipeline: Pipeline, { pictures }: StudyConcept): Promise<TrainingPicture[]> {
  const { resolution } = pipeline.shape;
  const encoded: TrainingPicture[] = [];
  for (const png of pictures) {
    const planes = pngPlanes(png, resolution);
    encoded.push({
      straight: await pipeline.encodeImages(planes, 1),
      mirrored: await pipeline.encodeImages(flipPlanes(planes, resolution), 1),
    });
  }
  return encoded;
}

/** Every prompt with every seed, as one PNG. */
async function draw(
  { pipeline }: Bench,
  bridge: Bridge,
  mapper: Mapper,
  file: string,
  truncation = mapper.config.hidden,
): Promise<void> {
  const { seeds, samplingSteps, guidanceScale, prompts } = study;
  const scheduler = () => createScheduler('dpm-solver++-2m', pipeline.schedule, samplingSteps);
  const { timesteps } = scheduler();
  const unconditional: PromptContexts = await plainContexts(pipeline, '');
  const rows: Float32Array[] = [];
  for (const prompt of prompts) {
    const row = pipeline.tokenizer.encode(prompt);
    const conditional = await conceptContexts(pipeline, bridge, { row, mapper, truncation, timesteps });
    const options = { scheduler: scheduler(), conditional, unconditional, guidanceScale, seeds };
    rows.push(await pipeline.decodeLatents(await sample(pipeline, options), seeds.length));
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, gridPng(rows, pipeline.shape.resolution));
}

/** Rows of planes [columns, 3, side, side] in −1…1 as one picture. */
function gridPng(rows: readonly Float32Array[], side: number): Uint8Array {
  const size = 3 * side * side;
  const columns = rows[0]!.length / size;
  const width = columns * side;
  const data = new Uint8Array(4 * width * rows.length * side);
  rows.forEach((planes, r) => {
    for (let c = 0; c < columns; c++) {
      const { data: tile } = fromPlanes(planes.subarray(c * size, (c + 1) * size), side, side);
      for (let y = 0; y < side; y++)
        data.set(tile.subarray(4 * y * side, 4 * (y + 1) * side), 4 * ((r * side + y) * width + c * side));
    }
  });
  return encode({ width, height: rows.length * side, data, channels: 4 });
}
