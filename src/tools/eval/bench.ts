/** What the evaluations have in common: the shipped base, opened in the native runtime, and the concepts that ship with it. */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from '../../lib/zod.ts';
import { Judge } from '../../diffusion/judge.ts';
import { Pipeline } from '../../diffusion/pipeline.ts';
import { manifestSchema } from '../../lib/manifest.ts';
import { layout } from '../../lib/modelLayout.ts';
import { openFolder } from '../../lib/modelFolder.ts';
import { readConcepts, type SampleConcept } from '../../lib/sampleConcepts.ts';
import { readDefaults, type BaseDefaults } from '../../neti/baseDefaults.ts';
import { readStartingMapper } from '../../neti/startingMapper.ts';
import { nativeRuntime } from '../nativeRuntime.ts';
import { learn, type Bench } from './learn.ts';
import type { Arm } from './study.ts';

const models = join(import.meta.dirname, '../../../models');
const wordsSchema = z.object({ templates: z.object({ object: z.array(z.string()) }) });

export interface OpenBench extends Bench {
  readonly folder: string;
  readonly concepts: readonly SampleConcept[];
  readonly defaults: BaseDefaults;
}

/** One part of how many, from 1. */
export interface Part {
  readonly part: number;
  readonly parts: number;
}

/** Throws for what is no part such as `1/2`. */
export function chosenPart(option: string | undefined): Part {
  const [part, parts] = (option ?? '1/1').split('/').map(Number);
  if (part && parts && part <= parts) return { part, parts };
  throw new Error(`Expected a part as 1/2, found --part ${option}.`);
}

/**
 * @param out the folder for what is drawn
 * @param concepts how many of them
 * @param parts processes that share the machine
 */
export async function openBench(out: string, concepts: number, parts: number): Promise<OpenBench> {
  const { models: entries } = manifestSchema.parse(
    JSON.parse(await readFile(join(models, 'manifest.json'), 'utf8')),
  );
  const entry = entries[0]!;
  const folder = join(models, entry.path);
  const open = openFolder(folder);
  const runtime = nativeRuntime(Math.max(1, Math.floor(availableParallelism() / parts)));
  const { templates } = wordsSchema.parse(JSON.parse(await readFile(join(folder, 'words.json'), 'utf8')));
  return {
    pipeline: await Pipeline.load(runtime, open),
    templates: templates.object,
    base: { id: entry.id, hash: entry.hash },
    startingMapper: await readStartingMapper(open),
    startHash: entry.files.find(({ path }) => path === layout.startingMapper)?.sha256 ?? null,
    out: resolve(out),
    folder,
    concepts: (await readConcepts(folder)).slice(0, concepts),
    defaults: await readDefaults(open),
  };
}

export function openJudge({ pipeline, folder }: OpenBench): Promise<Judge> {
  const { runtime, tokenizer, shape } = pipeline;
  return Judge.load({ runtime, open: openFolder(folder), tokenizer, resolution: shape.resolution });
}

/** Does this part's lessons, saying how long each took; seconds of all that it did or found there. */
export async function teachAll(
  bench: Bench,
  lessons: readonly (readonly [Arm, SampleConcept])[],
  { part, parts }: Part,
): Promise<number[]> {
  const taken: number[] = [];
  for (const [i, [arm, concept]] of lessons.entries()) {
    if (i % parts !== part - 1) continue;
    const { seconds, isNew } = await learn(bench, arm, concept);
    taken.push(seconds);
    console.log(
      `${concept.folder}, ${arm.name}: ${isNew ? 'trained' : 'there already'}, ${seconds.toFixed(0)} s`,
    );
  }
  return taken;
}
