/**
 * `npm run eval -- --out DIR [--variants neti,xti | all] [--concepts 12]`: the paper's comparison on the shipped base. Trains every variant on
 * every held-out concept and draws the study's prompts into DIR; what is there already is kept, so it may be cut
 * and run again.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web';
import { z } from 'zod';
import { Pipeline } from '../../diffusion/pipeline.ts';
import { manifestSchema } from '../../lib/manifest.ts';
import { variantNames, type VariantName } from '../../neti/variants.ts';
import { Runtime } from '../../ort/runtime.ts';
import { learn } from './learn.ts';
import { mainVariants, readConcepts } from './study.ts';

const models = join(import.meta.dirname, '../../../models');
const wordsSchema = z.object({ templates: z.object({ object: z.array(z.string()) }) });

function chosenVariants(option: string | undefined): readonly VariantName[] {
  if (option === undefined) return mainVariants;
  if (option === 'all') return variantNames;
  return option.split(',').map((name) => {
    const known = variantNames.find((each) => each === name);
    if (known) return known;
    throw new Error(`Expected variants among ${variantNames.join(', ')}, found ${name}.`);
  });
}

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    variants: { type: 'string' },
    concepts: { type: 'string', default: '12' },
  },
});
if (!values.out)
  throw new Error('Expected: npm run eval -- --out DIR [--variants neti,xti | all] [--concepts 12]');
const out = resolve(values.out);
const { models: entries } = manifestSchema.parse(
  JSON.parse(await readFile(join(models, 'manifest.json'), 'utf8')),
);
const entry = entries[0]!;
const folder = join(models, entry.path);
ort.env.wasm.numThreads = 2;
const pipeline = await Pipeline.load(new Runtime({ ort, provider: 'wasm' }), (path) =>
  readFile(join(folder, path)),
);
const { templates } = wordsSchema.parse(JSON.parse(await readFile(join(folder, 'words.json'), 'utf8')));
const bench = { pipeline, templates: templates.object, baseHash: entry.hash, out };
for (const concept of (await readConcepts(folder)).slice(0, Number(values.concepts)))
  for (const variant of chosenVariants(values.variants)) {
    const seconds = await learn(bench, variant, concept);
    const said = seconds === null ? 'there already' : `trained in ${seconds.toFixed(0)} s`;
    console.log(`${concept.folder}, ${variant}: ${said}`);
  }
