/**
 * `npm run demo -- --images DIR --name NAME --category WORD [--steps N] [--prompt "…"]… --out DIR`: teaches the built page a
 * concept in a headless browser, as a person would, and writes the concept file, every picture, a grid and a report.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import { build, preview } from 'vite';
import { browserLaunch } from './browser.ts';

const usage =
  'npm run demo -- --images DIR --name NAME --category WORD [--steps 150] [--prompt "A photo of {} on a beach"] ' +
  '[--pictures 8] [--seed 1] [--no-build] --out DIR';

interface DemoOptions {
  readonly images: string;
  readonly name: string;
  readonly category: string;
  readonly steps: number;
  readonly prompts: readonly string[];
  readonly pictures: number;
  readonly seed: number;
  readonly out: string;
  readonly build: boolean;
}

function readOptions(): DemoOptions {
  const { values } = parseArgs({
    options: {
      images: { type: 'string' },
      name: { type: 'string' },
      category: { type: 'string' },
      steps: { type: 'string', default: '150' },
      prompt: { type: 'string', multiple: true, default: ['A photo of {} on a beach'] },
      pictures: { type: 'string', default: '8' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      'no-build': { type: 'boolean', default: false },
    },
  });
  const { images, name, category, out } = values;
  if (!images || !name || !category || !out)
    throw new Error(`Expected --images, --name, --category and --out: ${usage}`);
  return {
    images: resolve(images),
    name,
    category,
    steps: Number(values.steps),
    prompts: values.prompt,
    pictures: Number(values.pictures),
    seed: Number(values.seed),
    out: resolve(out),
    build: !values['no-build'],
  };
}

/** Pictures of a folder, in order; a file named left-out is kept for measuring and never shown to the training. */
async function picturesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.(png|jpe?g|webp|gif|avif)$/i.test(name)).sort();
  const files = names.filter((name) => !name.startsWith('left-out')).map((name) => join(folder, name));
  if (files.length === 0) throw new Error(`Expected pictures (png, jpg, webp) in ${folder}, found none.`);
  return files;
}

async function train(page: Page, options: DemoOptions): Promise<number> {
  await page.getByLabel('Concept images').setInputFiles(await picturesOf(options.images));
  await page.getByLabel('Concept name', { exact: true }).fill(options.name);
  await page.getByLabel('Category word', { exact: true }).fill(options.category);
  await page.getByLabel('Training steps', { exact: true }).fill(String(options.steps));
  const started = Date.now();
  await page.getByRole('button', { name: 'Train concept' }).click();
  const stop = page.getByRole('button', { name: 'Stop training' });
  await stop.waitFor({ timeout: 60_000 });
  await stop.waitFor({ state: 'detached', timeout: 0 });
  return (Date.now() - started) / 1000;
}

/** The pictures of a prompt as PNG bytes, one a seed. */
async function generate(page: Page, options: DemoOptions, prompt: string): Promise<Buffer[]> {
  await page.getByLabel('Prompt', { exact: true }).fill(prompt);
  await page.getByLabel('Seed', { exact: true }).fill(String(options.seed));
  await page.getByLabel('Pictures', { exact: true }).selectOption(String(options.pictures));
  const results = page
    .getByRole('region', { name: 'Results' })
    .getByRole('img')
    .and(page.locator(`[alt^=${JSON.stringify(`${prompt} (`)}]`));
  await page.getByRole('button', { name: 'Generate', exact: true }).click();
  await results.nth(options.pictures - 1).waitFor({ timeout: 300_000 });
  const urls = await results.evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src));
  const pictures = await Promise.all(urls.slice(0, options.pictures).map((url) => download(page, url)));
  return pictures;
}

async function download(page: Page, url: string): Promise<Buffer> {
  const base64 = await page.evaluate(async (address) => {
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, url);
  return Buffer.from(base64, 'base64');
}

/** One PNG of rows of pictures, composed by the browser. */
async function grid(page: Page, rows: readonly (readonly Buffer[])[]): Promise<Buffer> {
  const urls = rows.map((row) => row.map((png) => `data:image/png;base64,${png.toString('base64')}`));
  const base64 = await page.evaluate(async (sources) => {
    const cell = 128;
    const canvas = document.createElement('canvas');
    canvas.width = cell * Math.max(...sources.map((row) => row.length));
    canvas.height = cell * sources.length;
    const context = canvas.getContext('2d')!;
    for (const [y, row] of sources.entries())
      for (const [x, source] of row.entries()) {
        const image = new Image();
        image.src = source;
        await image.decode();
        context.drawImage(image, x * cell, y * cell, cell, cell);
      }
    return canvas.toDataURL('image/png').split(',')[1]!;
  }, urls);
  return Buffer.from(base64, 'base64');
}

async function exportConcept(page: Page, out: string, name: string): Promise<Buffer> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export concept' }).first().click(),
  ]);
  const path = join(out, `${name}.safetensors`);
  await file.saveAs(path);
  return readFile(path);
}

/** The training record that the concept file carries. */
function trainingRecord(file: Buffer): unknown {
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE(0))).toString('utf8')) as {
    __metadata__?: Record<string, string>;
  };
  return JSON.parse(header.__metadata__?.['neti.training'] ?? 'null') as unknown;
}

const options = readOptions();
await mkdir(options.out, { recursive: true });
if (options.build) await build({ logLevel: 'warn' });
const server = await preview({ preview: { port: 4178 }, logLevel: 'warn' });
const browser = await chromium.launch(browserLaunch());
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.goto(server.resolvedUrls!.local[0]!);
  await page.getByRole('button', { name: 'Train concept' }).waitFor({ timeout: 60_000 });
  const seconds = await train(page, options);
  const rows: Buffer[][] = [];
  for (const prompt of options.prompts) rows.push(await generate(page, options, prompt));
  for (const [row, pictures] of rows.entries())
    for (const [i, png] of pictures.entries())
      await writeFile(join(options.out, `prompt${row + 1}-${i + 1}.png`), png);
  const given = await Promise.all((await picturesOf(options.images)).map((path) => readFile(path)));
  await writeFile(join(options.out, 'grid.png'), await grid(page, [given, ...rows]));
  const concept = await exportConcept(page, options.out, options.name);
  const engine = await page.getByRole('button', { name: /Processor|Graphics card/ }).innerText();
  const report = { ...options, seconds, engine, training: trainingRecord(concept) };
  await writeFile(join(options.out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  await page.screenshot({ path: join(options.out, 'page.png') });
  console.log(
    `${options.name}: trained ${options.steps} steps in ${seconds.toFixed(0)} s on ${engine}; see ${options.out}`,
  );
} finally {
  await browser.close();
  await server.close();
}
