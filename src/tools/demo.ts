/**
 * `npm run demo -- --images DIR --name NAME --category WORD [--steps N] [--prompt "…"]… --out DIR`: teaches the built page a
 * concept in a headless browser, as a person would, and writes the concept file, every picture, a grid and a report.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '@playwright/test';
import type { Lesson } from './studioPage.ts';
import { sheet } from './sheets.ts';
import { exportConcept, generate, picturesOf, train, withStudio } from './studioPage.ts';

const USAGE =
  'npm run demo -- --images DIR --name NAME --category WORD [--steps N] [--prompt "A photo of {} on a beach"] ' +
  '[--pictures 8] [--seed 1] [--no-build] --out DIR';

interface DemoOptions extends Lesson {
  readonly prompts: readonly string[];
  readonly pictures: number;
  readonly seed: number;
  readonly out: string;
}

function readOptions(): { options: DemoOptions; isBuilt: boolean } {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      name: { type: 'string' },
      category: { type: 'string' },
      steps: { type: 'string' },
      prompt: { type: 'string', multiple: true, default: ['A photo of {} on a beach'] },
      pictures: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const { images, name, category, out } = values;
  if (!images || !name || !category || !out)
    throw new Error(`Expected --images, --name, --category and --out: ${USAGE}`);
  const options = {
    images: resolve(images),
    name,
    category,
    ...(values.steps && { steps: values.steps }),
    prompts: values.prompt,
    pictures: Number(values.pictures),
    seed: Number(values.seed),
    out: resolve(out),
  };
  return { options, isBuilt: values['no-build'] };
}

/** The training record that the concept file carries. */
function trainingRecord(file: Buffer): unknown {
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString('utf8')) as {
    __metadata__?: Record<string, string>;
  };
  return JSON.parse(header.__metadata__?.['neti.training'] ?? 'null') as unknown;
}

/** Draws every prompt; writes the pictures and, under the pictures given, a grid of them. */
async function draw(page: Page, { prompts, pictures, seed, out, images }: DemoOptions): Promise<void> {
  const rows: Buffer[][] = [];
  for (const prompt of prompts) rows.push(await generate(page, prompt, pictures, seed));
  for (const [row, made] of rows.entries())
    for (const [i, png] of made.entries()) await writeFile(join(out, `prompt${row + 1}-${i + 1}.png`), png);
  const given = await Promise.all((await picturesOf(images)).map((path) => readFile(path)));
  const grid = [given, ...rows].map((row) => ({ label: '', pictures: row }));
  await writeFile(join(out, 'grid.webp'), await sheet(page, grid));
}

const { options, isBuilt } = readOptions();
await mkdir(options.out, { recursive: true });
await withStudio(isBuilt, async (open) => {
  const page = await open();
  const seconds = await train(page, options);
  await draw(page, options);
  const path = join(options.out, `${options.name}.safetensors`);
  await exportConcept(page, path);
  const engine = await page.getByRole('button', { name: /Processor|Graphics card/ }).innerText();
  const report = { ...options, seconds, engine, training: trainingRecord(await readFile(path)) };
  await writeFile(join(options.out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  await page.screenshot({ path: join(options.out, 'page.png') });
  console.log(`${options.name}: trained in ${seconds.toFixed(0)} s on ${engine}; see ${options.out}`);
});
