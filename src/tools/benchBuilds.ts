/**
 * tsx src/tools/benchBuilds.ts [STEPS]
 *
 * Both WebGPU builds of onnxruntime-web, on JavaScript Promise Integration and on Asyncify, in headless Chromium: how long each
 * takes to load the shipped base, and for training steps of one picture, which the two take in turn. Compare the ratios.
 */
import { chromium, type Browser, type Page } from '@playwright/test';
import { median } from 'simple-statistics';
import { createServer } from 'vite';
import type { StepTime } from '../../e2e/pages/stepTime.ts';
import { browserLaunch } from './browser.ts';

const BUILDS = ['jspi', 'asyncify'] as const;
type Build = (typeof BUILDS)[number];
type Action = keyof StepTime;

async function openPage(browser: Browser, address: string, build: Build): Promise<Page> {
  const page = await browser.newPage();
  // Without it the studio takes the other build (ort/engine.ts).
  if (build === 'asyncify') await page.addInitScript(() => Reflect.deleteProperty(WebAssembly, 'Suspending'));
  await page.goto(address);
  await page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 60_000 });
  return page;
}

/** Seconds of one call on each page, in turn. */
async function inTurn(pages: readonly Page[], action: Action): Promise<number[]> {
  const seconds: number[] = [];
  for (const page of pages)
    seconds.push(
      await page.evaluate((name) => (window as unknown as { stepTime: StepTime }).stepTime[name](), action),
    );
  return seconds;
}

function print(name: string, rows: readonly (readonly number[])[]): void {
  const medians = BUILDS.map((_, i) => median(rows.map((row) => row[i]!)));
  const cells = BUILDS.map((build, i) => `${build} ${medians[i]!.toFixed(2)} s`);
  console.log(`${name}: ${cells.join(', ')}, ratio ${(medians[0]! / medians[1]!).toFixed(2)}`);
}

const steps = Number(process.argv[2] ?? 5);
const server = await createServer({ server: { port: 4179 }, logLevel: 'warn' });
await server.listen();
const browser = await chromium.launch(browserLaunch());
try {
  const address = new URL('e2e/pages/stepTime.html', server.resolvedUrls!.local[0]).href;
  const pages = await Promise.all(BUILDS.map((build) => openPage(browser, address, build)));
  print('engine and sessions', [await inTurn(pages, 'load')]);
  print('first step', [await inTurn(pages, 'step')]);
  const rows: number[][] = [];
  for (let i = 0; i < steps; i++) {
    rows.push(await inTurn(pages, 'step'));
    print(`median of ${rows.length} further steps`, rows);
  }
} finally {
  await browser.close();
  await server.close();
}
