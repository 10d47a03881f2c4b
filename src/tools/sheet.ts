/**
 * `npm run sheet -- [--steps N] [--count 8] [--no-build] --out DIR`: teaches the built page the first held-out concepts of the base, one
 * after another, with the page's own steps or N, and puts what was given beside what was made, every picture as it came.
 *
 * DIR gets concepts.webp (a row a concept), the concept files, seconds.json, and a blind test: reader.webp shows the given
 * pictures under numbers and the made ones, shuffled, under letters; reader-key.json has the answers.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '@playwright/test';
import { blindTest, plainRows, sheet, type Taught } from './sheets.ts';
import { exportConcept, generate, picturesOf, train, withStudio } from './studioPage.ts';

const concepts = join(import.meta.dirname, '../../models/sticker-world/concepts');
const PROMPTS = ['A photo of {}', 'A photo of {} on a beach'];
const PER_PROMPT = 4;

interface Lesson extends Taught {
  readonly seconds: number;
}

async function teach(page: Page, folder: string, steps: string | undefined, out: string): Promise<Lesson> {
  const images = join(concepts, folder);
  const { name, category } = JSON.parse(await readFile(join(images, 'concept.json'), 'utf8')) as {
    name: string;
    category: string;
  };
  const seconds = await train(page, { images, name, category, steps });
  const made: Buffer[] = [];
  for (const prompt of PROMPTS) made.push(...(await generate(page, prompt, PER_PROMPT, 1)));
  await exportConcept(page, join(out, `${folder}.safetensors`));
  const given = await Promise.all((await picturesOf(images)).map((path) => readFile(path)));
  console.log(`${name}: taught in ${seconds.toFixed(0)} s`);
  return { label: folder, seconds, given, made };
}

const { values } = parseArgs({
  options: {
    steps: { type: 'string' },
    count: { type: 'string', default: '8' },
    out: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
  },
});
if (!values.out) throw new Error('Expected: npm run sheet -- [--steps N] [--count 8] [--no-build] --out DIR');
const out = resolve(values.out);
await mkdir(out, { recursive: true });
const folders = (await readdir(concepts)).sort().slice(0, Number(values.count));
await withStudio(values['no-build'], async (open) => {
  const taught: Lesson[] = [];
  for (const folder of folders) {
    const page = await open();
    taught.push(await teach(page, folder, values.steps, out));
    await page.close();
  }
  const page = await open();
  const { rows, key } = blindTest(taught);
  await writeFile(join(out, 'concepts.webp'), await sheet(page, plainRows(taught)));
  await writeFile(join(out, 'reader.webp'), await sheet(page, rows));
  await writeFile(join(out, 'reader-key.json'), `${JSON.stringify(key)}\n`);
  const seconds = Object.fromEntries(taught.map((each) => [each.label, Math.round(each.seconds)]));
  await writeFile(join(out, 'seconds.json'), `${JSON.stringify(seconds)}\n`);
});
