/**
 * `npm run leaks [-- --rounds 20 --no-build]`: what the page holds on to. Each round teaches a concept, draws five pictures with it, is
 * measured after a collection of garbage, and removes everything. Fails where heap, nodes or listeners of the last round are over 10 %
 * more than those of the second: the first fills what is kept for good.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from '@playwright/test';
import { generate, train, withStudio } from './studioPage.ts';

const images = join(import.meta.dirname, '../../models/sticker-world/concepts/koala');
const MOST = 1.1;
/** Machine code counts as heap, and grows for as long as the page is used: the interpreter makes none. */
const INTERPRETED = '--js-flags=--no-opt --no-maglev --no-sparkplug';
const COUNTED = ['JSHeapUsedSize', 'Nodes', 'JSEventListeners'] as const;
type Held = Record<(typeof COUNTED)[number], number>;

async function round(page: Page, seed: number): Promise<void> {
  await train(page, { images, name: 'koala', category: 'animal', steps: '1' });
  for (const prompt of ['A photo of {} on a beach', 'A photo of {}'])
    await generate(page, prompt, prompt.endsWith('{}') ? 1 : 4, seed);
}

async function clear(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Everything stays on this computer' }).click();
  await page.getByRole('button', { name: 'Remove everything' }).click();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Remove all', exact: true }).click();
}

async function held(client: CDPSession): Promise<Held> {
  // What is collected lets go of more.
  for (let i = 0; i < 3; i++) await client.send('HeapProfiler.collectGarbage');
  const { metrics } = await client.send('Performance.getMetrics');
  const value = (name: string) => metrics.find((each) => each.name === name)?.value ?? NaN;
  return Object.fromEntries(COUNTED.map((name) => [name, value(name)])) as Held;
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '20' }, 'no-build': { type: 'boolean', default: false } },
});
const rounds = Number(values.rounds);
if (!(rounds >= 3)) throw new Error(`Expected --rounds of at least 3, found ${values.rounds}.`);
const watch = async (open: () => Promise<Page>) => {
  const page = await open();
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable');
  const all: Held[] = [];
  for (let i = 0; i < rounds; i++) {
    await round(page, 1 + 10 * i);
    all.push(await held(client));
    console.log(i + 1, JSON.stringify(all[i]));
    await clear(page);
  }
  const [, first] = all;
  for (const name of COUNTED) {
    const ratio = all.at(-1)![name] / first![name];
    console.log(`${name}: ${ratio.toFixed(3)} of the second round's after ${rounds}`);
    if (!(ratio <= MOST)) process.exitCode = 1;
  }
};
await withStudio(values['no-build'], watch, [INTERPRETED]);
