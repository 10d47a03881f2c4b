/**
 * `npm run sheet -- [--steps 150] [--count 8] [--no-build] --out DIR`: teaches the built page the first held-out concepts of the base, one
 * after another, and puts what was given beside what was made, every picture as it came.
 *
 * DIR gets concepts.png (a row a concept), the concept files, seconds.json, and a blind test: reader.png shows the given
 * pictures under numbers and the made ones, shuffled, under letters; reader-key.json has the answers.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '@playwright/test';
import { Random } from '../lib/random.ts';
import type { SheetRow } from './studioPage.ts';
import { exportConcept, generate, picturesOf, sheet, train, withStudio } from './studioPage.ts';

const concepts = join(import.meta.dirname, '../../models/sticker-world/concepts');
const prompts = ['A photo of {}', 'A photo of {} on a beach'];
const perPrompt = 4;

interface Taught {
  readonly folder: string;
  readonly seconds: number;
  readonly given: readonly Buffer[];
  readonly made: readonly Buffer[];
}

async function teach(page: Page, folder: string, steps: number, out: string): Promise<Taught> {
  const images = join(concepts, folder);
  const { name, category } = JSON.parse(await readFile(join(images, 'concept.json'), 'utf8')) as {
    name: string;
    category: string;
  };
  const seconds = await train(page, { images, name, category, steps });
  const made: Buffer[] = [];
  for (const prompt of prompts) made.push(...(await generate(page, prompt, perPrompt, 1)));
  await exportConcept(page, join(out, `${folder}.safetensors`));
  const given = await Promise.all((await picturesOf(images)).map((path) => readFile(path)));
  console.log(`${name}: ${steps} steps in ${seconds.toFixed(0)} s`);
  return { folder, seconds, given, made };
}

/** Given pictures by number beside made pictures by letter, in another order, and which belongs to which. */
function blindTest(taught: readonly Taught[]): { rows: SheetRow[]; key: Record<string, number> } {
  const random = new Random(7);
  const order = taught
    .map((_, i) => ({ i, at: random.uniform() }))
    .sort((a, b) => a.at - b.at)
    .map(({ i }) => i);
  const letter = (row: number) => String.fromCharCode(65 + row);
  const rows = taught.map(({ given }, row) => ({
    label: `${row + 1}  |  ${letter(row)}`,
    pictures: [...given, null, ...taught[order[row]!]!.made],
  }));
  return { rows, key: Object.fromEntries(order.map((concept, row) => [letter(row), concept + 1])) };
}

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '150' },
    count: { type: 'string', default: '8' },
    out: { type: 'string' },
    'no-build': { type: 'boolean', default: false },
  },
});
if (!values.out)
  throw new Error('Expected: npm run sheet -- [--steps 150] [--count 8] [--no-build] --out DIR');
const out = resolve(values.out);
await mkdir(out, { recursive: true });
const folders = (await readdir(concepts)).sort().slice(0, Number(values.count));
await withStudio(values['no-build'], async (open) => {
  const taught: Taught[] = [];
  for (const folder of folders) {
    const page = await open();
    taught.push(await teach(page, folder, Number(values.steps), out));
    await page.close();
  }
  const page = await open();
  const plain = taught.map(({ folder, given, made }) => ({
    label: folder,
    pictures: [...given, null, ...made],
  }));
  const { rows, key } = blindTest(taught);
  await writeFile(join(out, 'concepts.png'), await sheet(page, plain));
  await writeFile(join(out, 'reader.png'), await sheet(page, rows));
  await writeFile(join(out, 'reader-key.json'), `${JSON.stringify(key)}\n`);
  const seconds = Object.fromEntries(taught.map((each) => [each.folder, Math.round(each.seconds)]));
  await writeFile(join(out, 'seconds.json'), `${JSON.stringify(seconds)}\n`);
});
