/** Works the built studio in a headless browser as a person would, by the names people and screen readers see. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { chromium } from '@playwright/test';
import { build, preview } from 'vite';
import { browserLaunch } from './browser.ts';

/** What a person fills in before pressing Train concept; `images` is a folder. */
export interface Lesson {
  readonly images: string;
  readonly name: string;
  readonly category: string;
  /** Training steps, as they are written; the page's own where none are given. */
  readonly steps?: string | undefined;
}

/**
 * Runs `work` on a fresh page of the studio, then closes browser and server; `isBuilt` skips the build.
 * @param flags more of the browser's command line
 */
export async function withStudio(
  isBuilt: boolean,
  work: (open: () => Promise<Page>) => Promise<void>,
  flags: readonly string[] = [],
): Promise<void> {
  if (!isBuilt) await build({ logLevel: 'warn' });
  const server = await preview({ preview: { port: 4178 }, logLevel: 'warn' });
  const launch = browserLaunch();
  const browser = await chromium.launch({ ...launch, args: [...launch.args, ...flags] });
  const open = async () => {
    const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    await page.goto(server.resolvedUrls!.local[0]!);
    await page.getByRole('button', { name: 'Train concept' }).waitFor({ timeout: 60_000 });
    return page;
  };
  try {
    await work(open);
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Pictures of a folder, in order; left-out, which is kept for measuring, and taught, which was drawn, are never shown to the training. */
export async function picturesOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.(png|jpe?g|webp|gif|avif)$/i.test(name)).sort();
  const files = names.filter((name) => !/^(left-out|taught)/.test(name)).map((name) => join(folder, name));
  if (files.length === 0) throw new Error(`Expected pictures (png, jpg, webp) in ${folder}, found none.`);
  return files;
}

/** Trains a concept to the end; returns the seconds from the click. */
export async function train(page: Page, lesson: Lesson): Promise<number> {
  const pictures = await picturesOf(lesson.images);
  const input = page.getByLabel('Concept images');
  // The same files once more would be no change.
  await input.setInputFiles([]);
  await input.setInputFiles(pictures);
  await page.getByLabel('Concept name', { exact: true }).fill(lesson.name);
  await page.getByLabel('Category word', { exact: true }).fill(lesson.category);
  if (lesson.steps) await page.getByLabel('Training steps', { exact: true }).fill(lesson.steps);
  await page
    .getByRole('list', { name: 'Pictures of the concept' })
    .getByRole('button', { name: /^Remove / })
    .nth(pictures.length - 1)
    .waitFor();
  const started = Date.now();
  await page.getByRole('button', { name: 'Train concept' }).click();
  const stop = page.getByRole('button', { name: 'Stop training' });
  await stop.waitFor({ timeout: 60_000 });
  await stop.waitFor({ state: 'detached', timeout: 0 });
  return (Date.now() - started) / 1000;
}

/** `count` pictures of a prompt as PNG bytes, from consecutive seeds. */
export async function generate(page: Page, prompt: string, count: number, seed: number): Promise<Buffer[]> {
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill(prompt);
  await page.getByLabel('Seed', { exact: true }).fill(String(seed));
  await page.getByLabel('Pictures', { exact: true }).selectOption(String(count));
  const results = page
    .getByRole('region', { name: 'Results' })
    .getByRole('img')
    .and(page.locator(`[alt^=${JSON.stringify(`${prompt} (`)}]`));
  await page.getByRole('button', { name: 'Generate', exact: true }).click();
  await results.nth(count - 1).waitFor({ timeout: 300_000 });
  const urls = await results.evaluateAll((images) => images.map((image) => (image as HTMLImageElement).src));
  return Promise.all(urls.slice(0, count).map((url) => download(page, url)));
}

async function download(page: Page, url: string): Promise<Buffer> {
  const base64 = await page.evaluate(async (address) => {
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, url);
  return Buffer.from(base64, 'base64');
}

/** Saves the newest concept's file at `path`. */
export async function exportConcept(page: Page, path: string): Promise<void> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export concept' }).first().click(),
  ]);
  await file.saveAs(path);
}
