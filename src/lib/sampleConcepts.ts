/** The sample concepts in a model's folder, as `concepts.py` drew them: for tools and tests in Node. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from './zod.ts';

/** A held-out concept: its folder, category, and the PNG files to learn from. */
export interface SampleConcept {
  readonly folder: string;
  readonly category: string;
  readonly pictures: readonly Uint8Array[];
  readonly name: string;
  /** What it is drawn doing where it ships already taught; null where it does not. */
  readonly prompt: string | null;
}

const conceptSchema = z.object({
  name: z.string(),
  category: z.string(),
  prompt: z.string().nullable().default(null),
});

/** In the order of their names. */
export async function readConcepts(modelFolder: string): Promise<SampleConcept[]> {
  const home = join(modelFolder, 'concepts');
  return Promise.all((await readdir(home)).sort().map((folder) => readConcept(home, folder)));
}

async function readConcept(home: string, folder: string): Promise<SampleConcept> {
  const described: unknown = JSON.parse(await readFile(join(home, folder, 'concept.json'), 'utf8'));
  const names = (await readdir(join(home, folder))).filter((name) => /^\d+\.png$/.test(name)).sort();
  const pictures = await Promise.all(names.map((name) => readFile(join(home, folder, name))));
  return { folder, ...conceptSchema.parse(described), pictures };
}
