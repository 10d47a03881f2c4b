/**
 * `npm run teach-samples [-- --steps 200] [--only koala,violin]`: teaches the sample concepts that have a prompt in their concept.json
 * on the shipped base, with the studio's own trainer, and puts taught.safetensors and taught.png, what it draws of the prompt, beside
 * them: they draw on a first visit. The mapper is a small one in half precision, so that all of them are a megabyte together.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from '../lib/zod.ts';
import { Judge } from '../diffusion/judge.ts';
import { Pipeline } from '../diffusion/pipeline.ts';
import { manifestSchema } from '../lib/manifest.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { readConcepts, type SampleConcept } from '../lib/sampleConcepts.ts';
import { readDefaults, trainSettingsOn } from '../neti/baseDefaults.ts';
import { createBridge } from '../neti/bridge.ts';
import { readConcept } from '../neti/conceptFile.ts';
import { conceptContexts } from '../neti/contexts.ts';
import { Mapper } from '../neti/mapper.ts';
import { encodePicture, TrainingRun, type RunBase } from '../neti/run.ts';
import { pngPlanes } from '../pictures/pngPlanes.ts';
import { toPngUrl } from '../pictures/pngUrl.ts';
import { drawPictures, gridPng, schedulerOf } from './eval/drawing.ts';
import { nativeRuntime } from './nativeRuntime.ts';

const SIZES = { hidden: 64, fourierFeatures: 64 };
/** Of the training. */
const SEED = 1;
/** Of the pictures of which the judge takes the one that fits best, both the prompt and the concept. */
const DRAWN_SEEDS = [1, 2, 3, 4, 5, 6];

const models = join(import.meta.dirname, '../../models');
const wordsSchema = z.object({ templates: z.object({ object: z.array(z.string()) }) });

async function teach(
  base: RunBase,
  templates: readonly string[],
  { category, pictures, name }: SampleConcept,
  steps: number,
): Promise<Uint8Array> {
  const { pipeline } = base;
  const { resolution } = pipeline.shape;
  const encode = (planes: Float32Array) => pipeline.encodeImages(planes, 1);
  const settings = { ...trainSettingsOn(await readDefaults(open)), steps, seed: SEED };
  const encoded = [];
  for (const png of pictures)
    encoded.push(
      await encodePicture(encode, pngPlanes(png, resolution), resolution, settings.horizontalFlip),
    );
  const run = await TrainingRun.begin(base, {
    settings,
    category,
    pictures: encoded,
    templates,
    sizes: SIZES,
  });
  try {
    while (run.losses.length < steps) await run.next();
    const thumbnail = toPngUrl(pictures[0]!);
    const created = new Date().toISOString();
    return await run.save({ name, kind: 'object', created, thumbnail }, { half: true });
  } finally {
    run.release();
  }
}

/** As the studio draws the file. */
async function draw(
  { pipeline, bridge }: RunBase,
  judge: Judge,
  file: Uint8Array,
  { prompt, category, pictures }: SampleConcept & { readonly prompt: string },
): Promise<Uint8Array> {
  const { config, state } = await readConcept(file);
  const { resolution } = pipeline.shape;
  const mapper = new Mapper(bridge.backend, config, state);
  const { timesteps } = schedulerOf(pipeline);
  const row = pipeline.tokenizer.encode(prompt);
  const truncation = config.hidden;
  const contexts = await conceptContexts(pipeline, bridge, {
    row,
    concepts: [{ mapper, truncation }],
    timesteps,
  });
  mapper.release();
  const planes = await drawPictures(pipeline, contexts, DRAWN_SEEDS);
  const size = planes.length / DRAWN_SEEDS.length;
  const drawn = DRAWN_SEEDS.map((_, i) => planes.subarray(i * size, (i + 1) * size));
  const given = pictures.map((png) => pngPlanes(png, resolution));
  const scores = await judge.score(drawn, prompt.replace('{}', `a ${category}`), given);
  const fits = scores.map(({ likeness, prompt: fit }) => (likeness ?? 0) + fit);
  return gridPng([drawn[fits.indexOf(Math.max(...fits))]!], resolution);
}

const { values } = parseArgs({
  options: { steps: { type: 'string', default: '200' }, only: { type: 'string' } },
});
const { models: entries } = manifestSchema.parse(
  JSON.parse(await readFile(join(models, 'manifest.json'), 'utf8')),
);
const { id, hash, path } = entries[0]!;
const folder = join(models, path);
const open = openFolder(folder);
const pipeline = await Pipeline.load(nativeRuntime(), open);
const bridge = createBridge(pipeline.runtime);
const base = { pipeline, bridge, identity: { id, hash }, architecture: id };
const { tokenizer, shape } = pipeline;
const judge = await Judge.load({ runtime: pipeline.runtime, open, tokenizer, resolution: shape.resolution });
const { templates } = wordsSchema.parse(JSON.parse(await readFile(join(folder, 'words.json'), 'utf8')));
const only = values.only?.split(',');
for (const concept of await readConcepts(folder)) {
  const { folder: home, prompt } = concept;
  if (prompt === null || only?.includes(home) === false) continue;
  const file = await teach(base, templates.object, concept, Number(values.steps));
  await writeFile(join(folder, 'concepts', home, 'taught.safetensors'), file);
  await writeFile(
    join(folder, 'concepts', home, 'taught.png'),
    await draw(base, judge, file, { ...concept, prompt }),
  );
  console.log(`${home}: ${(file.length / 1000).toFixed(0)} kB`);
}
process.exit();
