/**
 * One cell of the comparison: a variant learns a concept with the studio's own trainer, and draws the study's prompts at each
 * checkpoint. A cell whose run.json is there, of the same base and settings, is not done again.
 */
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Pipeline } from '../../diffusion/pipeline.ts';
import { flipPlanes } from '../../pictures/pixels.ts';
import { Random } from '../../lib/random.ts';
import { createBridge, type Bridge } from '../../neti/bridge.ts';
import { writeConcept, type BaseIdentity } from '../../neti/conceptFile.ts';
import { conceptContexts } from '../../neti/contexts.ts';
import { createMapper, createTable, type Mapper } from '../../neti/mapper.ts';
import { Trainer, type TrainingPicture } from '../../neti/trainer.ts';
import { variantConfig, type VariantName } from '../../neti/variants.ts';
import { pngPlanes } from '../../pictures/pngPlanes.ts';
import { drawPictures, gridPng, schedulerOf } from './drawing.ts';
import { type Arm, checkpointFile, conceptFile, lastCheckpoint, study, truncationFile } from './study.ts';

export interface Bench {
  readonly pipeline: Pipeline;
  /** Prompts with one `{}` each that are true of any picture. */
  readonly templates: readonly string[];
  readonly base: BaseIdentity;
  readonly out: string;
}

const runSchema = z.object({
  baseHash: z.string(),
  study: z.string(),
  seconds: z.number(),
  losses: z.array(z.number()),
});
/** What a cell's pictures depend on, but for the base: another key means that it is done again. */
function keyOf({ settings }: Arm): string {
  const { learningRate, batchSize, horizontalFlip } = settings;
  return JSON.stringify([study, { learningRate, batchSize, horizontalFlip }]);
}

/** A finished cell: the seconds its training took, and whether it was done just now. */
export interface LearnedCell {
  readonly seconds: number;
  readonly isNew: boolean;
}

export async function learn(bench: Bench, arm: Arm, concept: SampleConcept): Promise<LearnedCell> {
  const { name, variant, settings } = arm;
  const record = join(dirname(checkpointFile(bench.out, name, concept.folder, 0)), 'run.json');
  const kept = await readRun(record, bench.base.hash, keyOf(arm));
  if (kept !== null) return { seconds: kept, isNew: false };
  const bridge = createBridge(bench.pipeline.runtime);
  const random = new Random(study.trainingSeed);
  const mapper = await freshMapper(bench.pipeline, bridge, variant, concept.category, random);
  const trainer = new Trainer({
    pipeline: bench.pipeline,
    bridge,
    mapper,
    random,
    pictures: await encodePictures(bench.pipeline, concept),
    templates: bench.templates,
    settings,
  });
  const losses: number[] = [];
  let milliseconds = 0;
  for (let step = 1; step <= lastCheckpoint; step++) {
    const started = performance.now();
    losses.push((await trainer.step()).loss);
    milliseconds += performance.now() - started;
    if ((study.checkpoints as readonly number[]).includes(step))
      await draw(bench, bridge, mapper, checkpointFile(bench.out, name, concept.folder, step));
  }
  if (name === 'neti')
    for (const kept of study.truncations)
      if (kept < mapper.config.hidden)
        await draw(bench, bridge, mapper, truncationFile(bench.out, concept.folder, kept), kept);
  const seconds = milliseconds / 1000;
  await keepConcept(bench, arm, concept, mapper, losses);
  const run = { baseHash: bench.base.hash, study: keyOf(arm), seconds, losses };
  await writeFile(record, JSON.stringify(run));
  trainer.release();
  mapper.release();
  return { seconds, isNew: true };
}

/** The cell's result as the studio would export it, so that it can be mixed, imported and looked at. */
async function keepConcept(
  { base, pipeline, out }: Bench,
  { name, settings }: Arm,
  { folder, category }: SampleConcept,
  mapper: Mapper,
  losses: readonly number[],
): Promise<void> {
  const created = new Date().toISOString();
  const file = await writeConcept({
    config: mapper.config,
    state: await mapper.state(),
    info: {
      name: folder,
      category,
      kind: 'object',
      step: losses.length,
      created,
      thumbnail: '',
      baseId: base.id,
      baseHash: base.hash,
    },
    training: { seed: study.trainingSeed, learningRate: settings.learningRate, losses },
    resolution: pipeline.shape.resolution,
    predictionType: pipeline.schedule.predictionType,
  });
  await writeFile(conceptFile(out, name, folder), file);
}

/** Seconds of a run that need not be done again, else null. */
async function readRun(record: string, baseHash: string, key: string): Promise<number | null> {
  const text = await readFile(record, 'utf8').catch(() => null);
  if (text === null) return null;
  const { success, data } = runSchema.safeParse(JSON.parse(text));
  return success && data.baseHash === baseHash && data.study === key ? data.seconds : null;
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

async function encodePictures(pipeline: Pipeline, { pictures }: SampleConcept): Promise<TrainingPicture[]> {
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
  const { timesteps } = schedulerOf(pipeline);
  const rows: Float32Array[] = [];
  for (const prompt of study.prompts) {
    const row = pipeline.tokenizer.encode(prompt);
    const contexts = await conceptContexts(pipeline, bridge, { row, mapper, truncation, timesteps });
    rows.push(await drawPictures(pipeline, contexts, study.seeds));
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, gridPng(rows, pipeline.shape.resolution));
}
