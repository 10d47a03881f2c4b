/**
 * One cell of the comparison: a variant learns a concept with the studio's own trainer, and draws the study's prompts at each
 * checkpoint. A cell whose run.json is there, of the same base and settings, is not done again.
 */
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from '../../lib/zod.ts';
import type { Pipeline } from '../../diffusion/pipeline.ts';
import { createBridge, type Bridge } from '../../neti/bridge.ts';
import type { BaseIdentity } from '../../neti/conceptFile.ts';
import type { Mapper } from '../../neti/mapper.ts';
import { encodePicture, TrainingRun, type RunLabel } from '../../neti/run.ts';
import type { StartingMapper } from '../../neti/startingMapper.ts';
import { conceptContexts } from '../../neti/contexts.ts';
import { pngPlanes } from '../../pictures/pngPlanes.ts';
import { drawPictures, gridPng, schedulerOf } from './drawing.ts';
import { type Arm, checkpointFile, conceptFile, study, truncationFile } from './study.ts';

export interface Bench {
  readonly pipeline: Pipeline;
  /** Prompts with one `{}` each that are true of any picture. */
  readonly templates: readonly string[];
  readonly base: BaseIdentity;
  readonly startingMapper: StartingMapper | null;
  /** Hex SHA-256 of its file; null where there is none. */
  readonly startHash: string | null;
  readonly out: string;
}

const runSchema = z.object({
  baseHash: z.string(),
  study: z.string(),
  seconds: z.number(),
  losses: z.array(z.number()),
});
/** What a cell's pictures depend on, but for the base: another key means that it is done again. */
function keyOf({ startHash }: Bench, { settings, checkpoints }: Arm): string {
  const { learningRate, batchSize, horizontalFlip, start } = settings;
  const begun = start === 'official' ? null : startHash;
  return JSON.stringify([study, { learningRate, batchSize, horizontalFlip, begun, checkpoints }]);
}

/** A finished cell: the seconds its training took, and whether it was done just now. */
export interface LearnedCell {
  readonly seconds: number;
  readonly isNew: boolean;
}

export async function learn(bench: Bench, arm: Arm, concept: SampleConcept): Promise<LearnedCell> {
  const { name } = arm;
  const record = join(dirname(checkpointFile(bench.out, name, concept.folder, 0)), 'run.json');
  const kept = await readRun(record, bench.base.hash, keyOf(bench, arm));
  if (kept !== null) return { seconds: kept, isNew: false };
  const bridge = createBridge(bench.pipeline.runtime);
  const run = await beginRun(bench, bridge, arm, concept);
  try {
    const seconds = await trainAndDraw(bench, bridge, arm, concept, run);
    await writeFile(conceptFile(bench.out, name, concept.folder), await run.save(labelOf(concept)));
    const { losses } = run;
    await writeFile(
      record,
      JSON.stringify({ baseHash: bench.base.hash, study: keyOf(bench, arm), seconds, losses }),
    );
    return { seconds, isNew: true };
  } finally {
    run.release();
  }
}

/** The training of a cell, before its first step. */
export async function beginRun(
  { pipeline, base, startingMapper, templates }: Bench,
  bridge: Bridge,
  { settings }: Arm,
  { category, pictures }: SampleConcept,
): Promise<TrainingRun> {
  const { resolution } = pipeline.shape;
  const encode = (planes: Float32Array) => pipeline.encodeImages(planes, 1);
  const encoded = [];
  for (const png of pictures)
    encoded.push(
      await encodePicture(encode, pngPlanes(png, resolution), resolution, settings.horizontalFlip),
    );
  const seeded = { ...settings, seed: study.trainingSeed };
  const open = { pipeline, bridge, identity: base, architecture: base.id, startingMapper };
  return TrainingRun.begin(open, { settings: seeded, category, pictures: encoded, templates });
}

/** Seconds of the training alone. */
async function trainAndDraw(
  bench: Bench,
  bridge: Bridge,
  { name, checkpoints }: Arm,
  { folder }: SampleConcept,
  run: TrainingRun,
): Promise<number> {
  let milliseconds = 0;
  for (let step = 1; step <= checkpoints.at(-1)!; step++) {
    const started = performance.now();
    await run.next();
    milliseconds += performance.now() - started;
    if (checkpoints.includes(step))
      await draw(bench, bridge, run.mapper, checkpointFile(bench.out, name, folder, step));
  }
  if (name === 'neti')
    for (const kept of study.truncations)
      if (kept < run.mapper.config.hidden)
        await draw(bench, bridge, run.mapper, truncationFile(bench.out, folder, kept), kept);
  return milliseconds / 1000;
}

/** The cell's result is kept as the studio would export it, so that it can be mixed, imported and looked at. */
function labelOf({ folder }: SampleConcept): RunLabel {
  return { name: folder, kind: 'object', created: new Date().toISOString(), thumbnail: '' };
}

/** Seconds of a run that need not be done again, else null. */
async function readRun(record: string, baseHash: string, key: string): Promise<number | null> {
  const text = await readFile(record, 'utf8').catch(() => null);
  if (text === null) return null;
  const { success, data } = runSchema.safeParse(JSON.parse(text));
  return success && data.baseHash === baseHash && data.study === key ? data.seconds : null;
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
    const contexts = await conceptContexts(pipeline, bridge, {
      row,
      concepts: [{ mapper, truncation }],
      timesteps,
    });
    rows.push(await drawPictures(pipeline, contexts, study.seeds));
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, gridPng(rows, pipeline.shape.resolution));
}
