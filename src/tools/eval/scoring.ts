/** What the judge says of every picture that the study drew (learn.ts). */
import type { SampleConcept } from '../../lib/sampleConcepts.ts';
import { readFile } from 'node:fs/promises';
import { mean } from 'simple-statistics';
import type { Judge } from '../../diffusion/judge.ts';
import { PLACEHOLDER } from '../../lib/prompt.ts';
import { cosine } from '../../lib/numbers.ts';
import { MAPPER_DEFAULTS } from '../../neti/mapperConfig.ts';
import { pngPlanes, pngTiles } from '../../pictures/pngPlanes.ts';
import { type Arm, checkpointFile, lastCheckpoint, study, truncationFile } from './study.ts';

/** Scores of one drawn sheet, means over its prompts and seeds. */
export interface Cell {
  readonly arm: string;
  readonly concept: string;
  readonly step: number;
  /** Hidden units kept. */
  readonly kept: number;
  /** Mean cosine to the concept's pictures. */
  readonly likeness: number;
  /** Mean cosine to the prompts, the concept called by its category. */
  readonly prompt: number;
}

/** Every checkpoint of these arms, and NeTI's truncations. Throws when a cell has not been drawn. */
export async function scoreStudy(
  judge: Judge,
  resolution: number,
  out: string,
  arms: readonly Arm[],
  concepts: readonly SampleConcept[],
): Promise<Cell[]> {
  const cells: Cell[] = [];
  for (const concept of concepts) {
    const reference = await createReference(judge, resolution, concept);
    const add = async (arm: string, step: number, kept: number, file: string) => {
      const scores = await reference(await readFile(file));
      cells.push({ arm, concept: concept.folder, step, kept, ...scores });
    };
    const { hidden } = MAPPER_DEFAULTS;
    for (const { name, checkpoints } of arms)
      for (const step of checkpoints)
        await add(name, step, hidden, checkpointFile(out, name, concept.folder, step));
    if (arms.some(({ name }) => name === 'neti'))
      for (const kept of study.truncations)
        if (kept < hidden) await add('neti', lastCheckpoint, kept, truncationFile(out, concept.folder, kept));
  }
  return cells;
}

/** A function that scores sheets of one concept: a row a prompt, a column a seed. */
async function createReference(judge: Judge, resolution: number, { category, pictures }: SampleConcept) {
  const given = pictures.map((png) => pngPlanes(png, resolution));
  const sentences: Float32Array[] = [];
  for (const prompt of study.prompts) sentences.push(await judge.read(prompt.replace(PLACEHOLDER, category)));
  const known = await judge.look(given);
  return async (png: Uint8Array) => {
    const seen = await judge.look(pngTiles(png, resolution, study.seeds.length));
    const likenesses = seen.map(({ likeness }) => mean(known.map((each) => cosine(likeness, each.likeness))));
    const prompts = seen.map(({ prompt }, i) =>
      cosine(prompt, sentences[Math.floor(i / study.seeds.length)]!),
    );
    return { likeness: mean(likenesses), prompt: mean(prompts) };
  };
}
