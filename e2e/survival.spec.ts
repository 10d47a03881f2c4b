/**
 * A training that is killed again and again comes to the weights, curve and previews of one that was not, bit for bit.
 * `KILLS=50 npx playwright test e2e/survival.spec.ts` kills fifty times.
 */
import { expect, test, type BrowserContext, type Page } from '@playwright/test';
import { concepts, drawPicture, fillIn, openStudio } from './steps.ts';

const KILLS = Number(process.env['KILLS'] ?? 5);
/** Long enough for every kill to find it at work. */
const STEPS = 20 + 24 * KILLS;
const goOn = (page: Page) => page.getByRole('button', { name: 'Go on', exact: true });
const working = (page: Page) => page.getByRole('button', { name: 'Stop training' });

async function begin(page: Page, name: string): Promise<void> {
  await openStudio(page);
  await page.getByLabel('Concept images').setInputFiles([await drawPicture(page, 'disc.png')]);
  await fillIn(page, name, STEPS);
  const options = page.getByRole('button', { name: 'More training options' });
  if ((await options.getAttribute('aria-expanded')) === 'false') await options.click();
  await page.getByLabel('Pictures a step').fill('2');
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(working(page)).toBeVisible();
}

async function ended(page: Page): Promise<void> {
  await expect(working(page)).toHaveCount(0, { timeout: 280_000 });
}

interface Learned {
  readonly weights: string | undefined;
  readonly curve: unknown;
  readonly previews: readonly (readonly number[])[];
  readonly step: number;
}

/** What storage holds of a concept: the hash of its weights and optimizer, its curve, and its previews' pixels. */
function learned(page: Page, name: string): Promise<Learned> {
  return page.evaluate(async (wanted) => {
    interface Kept {
      readonly name: string;
      readonly step: number;
      readonly curve: unknown;
      readonly file: Blob;
      readonly previews: readonly { readonly pictures: readonly Blob[] }[];
    }
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open('neti-studio-concepts');
      request.onsuccess = () => resolve(request.result);
    });
    const all = await new Promise<Kept[]>((resolve) => {
      const request = database.transaction('records').objectStore('records').getAll();
      request.onsuccess = () => resolve(request.result as Kept[]);
    });
    database.close();
    const { file, curve, step, previews } = all.find((each) => each.name === wanted)!;
    const header = await file.slice(0, 200_000).text();
    const bytes = async (blob: Blob) => [...new Uint8Array(await blob.arrayBuffer())];
    return {
      weights: /hash_sha256":"(0x[0-9a-f]+)/.exec(header)?.[1],
      curve,
      step,
      previews: await Promise.all(
        previews.map(async ({ pictures }) => (await Promise.all(pictures.map(bytes))).flat()),
      ),
    };
  }, name);
}

/** Each ends the page or its worker in another way, and gives the page to go on with. */
const kills: Record<string, (page: Page, context: BrowserContext) => Promise<Page>> = {
  reload: async (page) => {
    await page.reload();
    return page;
  },
  'close the tab': async (page, context) => {
    await page.close();
    return context.newPage();
  },
  'end the worker without a word': async (page) => {
    await page.workers()[0]!.evaluate(() => self.close());
    return page;
  },
  'crash the tab': async (page, context) => {
    const client = await context.newCDPSession(page);
    const crashed = page.waitForEvent('crash');
    void client.send('Page.crash').catch(() => undefined);
    await crashed;
    await page.close();
    return context.newPage();
  },
};

test(`a training that is killed ${KILLS} times ends as one that was not`, async ({
  page: first,
  context,
}) => {
  test.setTimeout(120_000 + 60_000 * KILLS);
  await begin(first, 'whole');
  await ended(first);
  await begin(first, 'cut');
  let page = first;
  for (let kill = 0; kill < KILLS; kill++) {
    const [name, end] = Object.entries(kills)[kill % Object.keys(kills).length]!;
    // At a moment that differs from run to run; the first may come before anything was learned.
    await page.waitForTimeout(500 + Math.random() * 1500);
    await test.step(name, async () => {
      page = await end(page, context);
      if (page.url() === 'about:blank') await openStudio(page);
      await expect(goOn(page)).toBeEnabled({ timeout: 60_000 });
      await expect(page.getByText(/training of cut was interrupted at step \d+ of/)).toBeVisible();
      await goOn(page).click();
      await expect(working(page)).toBeVisible();
    });
  }
  await ended(page);
  await expect(concepts(page)).toContainText('cut');
  const [whole, cut] = [await learned(page, 'whole'), await learned(page, 'cut')];
  expect(cut.step).toBe(STEPS);
  expect(cut.weights).toBe(whole.weights);
  expect(cut.curve).toEqual(whole.curve);
  expect(cut.previews.length).toBe(whole.previews.length);
  cut.previews.forEach((pixels, i) => {
    expect(
      pixels.length === whole.previews[i]!.length && pixels.every((x, k) => x === whole.previews[i]![k]),
    ).toBe(true);
  });
});
