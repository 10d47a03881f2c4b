/**
 * Part of `npm run bench`: what a newcomer waits for on the built page, each time in a fresh browser: until it can be worked with, until a taught
 * sample's first picture, and until the truncation slider's first and final one. Medians.
 */
import { chromium, type Page } from '@playwright/test';
import { median } from 'simple-statistics';
import { preview } from 'vite';
import { browserLaunch } from './browser.ts';

const REPEATS = 5;
/** Kept units that nothing was drawn for ahead (store/truncationRenders.ts). */
const TRUNCATION = '12';

/** Milliseconds. */
export interface PageTimes {
  /** From the address to the engine standing ready. */
  readonly open: number;
  /** From the press on a taught sample. */
  readonly firstPicture: number;
  /** From a move of the slider: a picture of few steps, or of a neighbour. */
  readonly sliderFirst: number;
  readonly sliderFinal: number;
}

/** @param folder of the built page's project. */
export async function benchPage(folder: string): Promise<PageTimes> {
  const server = await preview({ root: folder, preview: { port: 4182 }, logLevel: 'warn' });
  try {
    const visits: PageTimes[] = [];
    for (let i = 0; i < REPEATS; i++) visits.push(await visit(server.resolvedUrls!.local[0]!));
    const middle = (name: keyof PageTimes) => median(visits.map((times) => times[name]));
    return {
      open: middle('open'),
      firstPicture: middle('firstPicture'),
      sliderFirst: middle('sliderFirst'),
      sliderFinal: middle('sliderFinal'),
    };
  } finally {
    await server.close();
  }
}

async function visit(address: string): Promise<PageTimes> {
  const browser = await chromium.launch(browserLaunch());
  try {
    const page = await browser.newPage();
    const open = await milliseconds(async () => {
      await page.goto(address);
      await page.getByRole('button', { name: /^(Processor|Graphics card)/ }).waitFor({ timeout: 60_000 });
    });
    await page.getByLabel('Pictures', { exact: true }).selectOption('1');
    const picture = page.getByRole('region', { name: 'Results' }).getByRole('img').first();
    const firstPicture = await milliseconds(async () => {
      await page
        .getByRole('button', { name: /^Draw with / })
        .first()
        .click();
      await picture.waitFor({ timeout: 60_000 });
    });
    // Scores and drafts ahead are made by now.
    await page.waitForTimeout(5000);
    return { open, firstPicture, ...(await moveSlider(page)) };
  } finally {
    await browser.close();
  }
}

async function moveSlider(page: Page): Promise<Pick<PageTimes, 'sliderFirst' | 'sliderFinal'>> {
  const stage = page.locator('.stage-picture');
  const before = await stage.getByRole('img').first().getAttribute('src');
  const started = performance.now();
  await page.getByRole('slider', { name: 'Truncation' }).fill(TRUNCATION);
  await stage.locator(`img:not([src="${before}"])`).first().waitFor();
  const sliderFirst = performance.now() - started;
  const final = page.locator('.stage-picture[data-quality="full"]');
  await final.getByRole('img', { name: `truncation ${TRUNCATION})` }).waitFor({ timeout: 30_000 });
  return { sliderFirst, sliderFinal: performance.now() - started };
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
