/**
 * What training and sampling start from on one base, until the user chooses otherwise: its `defaults.json`, where somebody measured
 * what is best on it, else what the official implementation does on Stable Diffusion.
 */
import { z } from 'zod';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';

const schema = z.object({
  trainSteps: z.int().positive(),
  /** Pictures an optimizer step; even, for nested dropout throws one coin for two. */
  batchSize: z.int().multipleOf(2).positive(),
  /** Steps between previews; 0 for none. */
  previewEvery: z.int().nonnegative(),
  samplingSteps: z.int().positive(),
  guidanceScale: z.number().positive(),
});

export type BaseDefaults = Readonly<z.infer<typeof schema>>;

/** Concepts are usable from 250 to 500 steps; sampled with 50 steps and guidance 7.5. */
export const officialDefaults: BaseDefaults = {
  trainSteps: 500,
  batchSize: 8,
  previewEvery: 100,
  samplingSteps: 50,
  guidanceScale: 7.5,
};

/** Throws a ZodError for a file of another form. */
export async function readDefaults(open: OpenFile): Promise<BaseDefaults> {
  const own = await readJson(open, 'defaults.json');
  return own === null ? officialDefaults : schema.parse(own);
}
