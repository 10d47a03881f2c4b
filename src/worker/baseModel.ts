/** What the worker needs of an open base model, whether it ships with the studio or is the user's own. */
import { z } from '../lib/zod.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import { graphPath, JUDGE_PARTS, layout } from '../lib/modelLayout.ts';
import type { ModelFile } from '../lib/manifest.ts';
import type { ModelShape } from '../diffusion/pipeline.ts';
import type { BaseIdentity } from '../neti/conceptFile.ts';
import type { BaseDefaults } from '../neti/baseDefaults.ts';
import { OFFICIAL_TEMPLATES } from '../neti/templates.ts';
import type { SampleConcept } from './api.ts';

const wordsSchema = z.object({
  /** What the base was taught; null for one that knows more than can be listed. */
  words: z.array(z.string()).nullable(),
  categories: z.array(z.string()),
  suggestions: z.array(z.string()),
  templates: z.object({ object: z.array(z.string()).readonly(), style: z.array(z.string()).readonly() }),
});

export type Words = z.infer<typeof wordsSchema>;

export interface BaseModel extends BaseIdentity {
  readonly title: string;
  /** Identifies it among the models kept in this browser; null for the one that ships here. */
  readonly keptId: string | null;
  readonly words: Words;
  readonly defaults: BaseDefaults;
  readonly open: OpenFile;
  /** Bytes of the files that training and sampling need. */
  readonly bytes: number;
  /** Whether a judge comes with it. */
  readonly judged: boolean;
  /** Whether a starting mapper does. */
  readonly startingMapper: boolean;
  readonly samples: readonly SampleConcept[];
}

/** Things and creatures that people teach, each one word; and the official evaluation prompts (NeTI, appendix). */
const commonWords: Words = {
  words: null,
  categories: [
    ...['object', 'toy', 'dog', 'cat', 'animal', 'person', 'plant', 'doll', 'teapot', 'mug', 'bag', 'shoe'],
    ...[
      'hat',
      'chair',
      'lamp',
      'clock',
      'bowl',
      'vase',
      'statue',
      'car',
      'building',
      'food',
      'art',
      'painting',
    ],
  ],
  suggestions: [
    'A photo of {} in the jungle',
    'A photo of {} on a beach',
    'A photo of {} in Times Square',
    'A photo of {} in the moon',
    'A painting of {} in the style of Monet',
    'Oil painting of {}',
    'A Marc Chagall painting of {}',
    'A manga drawing of {}',
    'A watercolor painting of {}',
    'A statue of {}',
    'App icon of {}',
    'A sand sculpture of {}',
    'Colorful graffiti of {}',
    'A photograph of two {} on a table',
  ],
  templates: OFFICIAL_TEMPLATES,
};

/** The model's own `words.json`, or words that any Stable Diffusion knows where there is none of that form. */
export async function readWords(open: OpenFile): Promise<Words> {
  const own = await readJson(open, layout.words);
  return wordsSchema.safeParse(own).data ?? commonWords;
}

export function hasJudge(files: readonly ModelFile[]): boolean {
  return JUDGE_PARTS.every((part) => files.some(({ path }) => path === graphPath(part)));
}

export function hasStartingMapper(files: readonly ModelFile[]): boolean {
  return files.some(({ path }) => path === layout.startingMapper);
}

/** What concepts learned on this base carry. */
export function identityOf({ id, hash }: BaseModel): BaseIdentity {
  return { id, hash };
}

/** ModelSpec's name for the kind of base, by the width of its contexts; the shipped one has its own. */
export function architectureOf(
  { id, keptId }: Pick<BaseModel, 'id' | 'keptId'>,
  { contextWidth, resolution }: Pick<ModelShape, 'contextWidth' | 'resolution'>,
): string {
  if (keptId === null) return id;
  if (contextWidth === 768) return 'stable-diffusion-v1';
  if (contextWidth !== 1024) return id;
  return resolution === 768 ? 'stable-diffusion-v2-768-v' : 'stable-diffusion-v2-512';
}
