/**
 * A training that is killed again and again comes to the weights, curve and previews of one that was not, bit for bit.
 * `KILLS=14 npx playwright test e2e/survival.spec.ts` kills each of three kinds of training fourteen times on the processor, in five
 * ways, and takes the graphics card from each three times, in two; `SEED=2` does so at other moments.
 */
import { chromium, expect, test, type BrowserContext, type Page, type Worker } from '@playwright/test';
import { join } from 'node:path';
import { Random } from '../src/lib/random.ts';
import { browserLaunch } from '../src/tools/browser.ts';
import { addPictures, concepts, fillIn, generateOne, openStudio, pictures, results, teach } from './steps.ts';

const USUAL_KILLS = 5;
const KILLS = Number(process.env['KILLS'] ?? USUAL_KILLS);
const SEED = Number(process.env['SEED'] ?? 1);
const goOn = (page: Page) => page.getByRole('button', { name: 'Go on', exact: true });
const working = (page: Page) => page.getByRole('button', { name: 'Stop training' });

/** Where a training runs, and how it is ended there. */
interface Place {
  readonly open: (page: Page) => Promise<void>;
  readonly category: string;
  readonly ways: Readonly<Record<string, (seat: Seat) => Promise<Seat>>>;
  readonly kills: number;
  readonly steps: number;
  /** Before these are left, so that a fast computer is still at work. */
  readonly lastSteps: number;
}

async function fillInAll(
  page: Page,
  { category, steps }: Place,
  name: string,
  method: string,
): Promise<void> {
  await fillIn(page, name, steps);
  await page.getByLabel('Category word').fill(category);
  const options = page.getByRole('button', { name: 'More training options' });
  if ((await options.getAttribute('aria-expanded')) === 'false') await options.click();
  await page.getByLabel('Method').selectOption(method);
  await page.getByLabel('Pictures a step').fill('2');
}

async function begin(page: Page, place: Place, name: string, method = 'neti'): Promise<void> {
  await fillInAll(page, place, name, method);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(working(page)).toBeVisible();
}

/** Each begins a training of the name; what it needs before was not killed. */
const trainings: Record<string, (page: Page, place: Place, name: string) => Promise<void>> = {
  'a new concept': begin,
  'a textual inversion': (page, place, name) => begin(page, place, name, 'textual-inversion'),
  'a further training': async (page, place, name) => {
    await begin(page, { ...place, steps: 3 }, name);
    await ended(page);
    await page.getByLabel('Training steps').fill(`${place.steps}`);
    await page.getByRole('button', { name: 'Continue training' }).click();
    await expect(working(page)).toBeVisible();
  },
};

async function ended(page: Page): Promise<void> {
  await expect(working(page)).toHaveCount(0, { timeout: 400_000 });
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

/** A browser of its own, with a profile that outlives it. */
class Seat {
  private constructor(
    private readonly profile: string,
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  static async at(profile: string): Promise<Seat> {
    const context = await chromium.launchPersistentContext(profile, {
      ...browserLaunch(),
      ...test.info().project.use,
    });
    return new Seat(profile, context, context.pages()[0]!);
  }

  again(): Promise<Seat> {
    return Seat.at(this.profile);
  }

  async newTab(): Promise<Seat> {
    return new Seat(this.profile, this.context, await this.context.newPage());
  }

  /** Has something crash that cannot answer any more. */
  async crash(command: 'Page.crash' | 'Browser.crash'): Promise<void> {
    const crashed =
      command === 'Page.crash' ? this.page.waitForEvent('crash') : this.context.waitForEvent('close');
    void this.command(command);
    await crashed;
  }

  /** Not waited for: what it ends may not answer. */
  async command(command: 'Page.crash' | 'Browser.crash' | 'Browser.crashGpuProcess'): Promise<void> {
    const client = await this.context.newCDPSession(this.page);
    void client.send(command).catch(() => undefined);
  }
}

/** Each ends the page or its worker in another way, and gives the page to go on with. */
const suddenEnds: Record<string, (seat: Seat) => Promise<Seat>> = {
  reload: async (seat) => {
    await seat.page.reload();
    return seat;
  },
  'close the tab': async (seat) => {
    const next = await seat.newTab();
    await seat.page.close();
    return next;
  },
  'end the worker without a word': async (seat) => {
    await seat.page.workers()[0]!.evaluate(() => self.close());
    return seat;
  },
  'crash the tab': async (seat) => {
    await seat.crash('Page.crash');
    const next = await seat.newTab();
    await seat.page.close();
    return next;
  },
  'crash the browser': async (seat) => {
    await seat.crash('Browser.crash');
    return seat.again();
  },
};

/** Steps done of the training under way, as the page says it. */
async function stepOf(page: Page): Promise<number> {
  const told = await working(page).locator('..').innerText();
  return Number(/Step (\d+) of/.exec(told)?.[1] ?? 0);
}

async function killAndGoOn(
  seat: Seat,
  [way, end]: [string, (seat: Seat) => Promise<Seat>],
  { step, delay }: { step: number; delay: number },
): Promise<Seat> {
  return test.step(`${way}, ${delay.toFixed()} ms after step ${step}`, async () => {
    await expect.poll(() => stepOf(seat.page), { timeout: 300_000 }).toBeGreaterThanOrEqual(step);
    await seat.page.waitForTimeout(delay);
    const next = await end(seat);
    const { page } = next;
    if (page.url() === 'about:blank') await openStudio(page);
    await expect(goOn(page)).toBeEnabled({ timeout: 120_000 });
    await expect(page.getByText(/training of cut was interrupted at step \d+ of/)).toBeVisible();
    await goOn(page).click();
    await expect(working(page)).toBeVisible();
    return next;
  });
}

/** At which steps a training is killed; the first may come before anything was learned. */
function moments({ kills, steps, lastSteps }: Place, kind: string): { step: number; delay: number }[] {
  const random = new Random(SEED + 1000 * Object.keys(trainings).indexOf(kind));
  const drawn = Array.from({ length: kills }, () => Math.floor(random.uniform() * (steps - lastSteps)));
  return drawn.toSorted((a, b) => a - b).map((step) => ({ step, delay: 500 * random.uniform() }));
}

async function killedAndWhole(place: Place, kind: string): Promise<void> {
  let seat = await Seat.at(test.info().outputPath('profile'));
  await openStudio(seat.page);
  await place.open(seat.page);
  await addPictures(seat.page, 1);
  await trainings[kind]!(seat.page, place, 'whole');
  await ended(seat.page);
  await trainings[kind]!(seat.page, place, 'cut');
  const ways = Object.entries(place.ways);
  for (const [index, moment] of moments(place, kind).entries())
    seat = await killAndGoOn(seat, ways[index % ways.length]!, moment);
  const { page } = seat;
  await ended(page);
  await expect(concepts(page)).toContainText('cut');
  same(await learned(page, 'cut'), await learned(page, 'whole'));
  await seat.context.close();
}

function same(cut: Learned, whole: Learned): void {
  expect(cut.step).toBe(whole.step);
  expect(cut.weights).toBe(whole.weights);
  expect(cut.curve).toEqual(whole.curve);
  expect(cut.previews.length).toBe(whole.previews.length);
  cut.previews.forEach((pixels, i) => {
    expect(Buffer.from(pixels).equals(Buffer.from(whole.previews[i]!))).toBe(true);
  });
}

const processor: Place = {
  open: () => Promise.resolve(),
  category: 'toy',
  ways: suddenEnds,
  kills: KILLS,
  steps: 24 + 4 * KILLS,
  lastSteps: 24,
};

/** Devices of workers, each to be found in its worker. */
function keepDevices(page: Page): void {
  const patch = () => {
    const { requestDevice } = GPUAdapter.prototype;
    GPUAdapter.prototype.requestDevice = async function (...options) {
      const device = await requestDevice.apply(this, options);
      return Object.assign(self, { device }).device;
    };
  };
  const reach = (worker: Worker) => void worker.evaluate(patch).catch(() => undefined);
  page.workers().forEach(reach);
  page.on('worker', reach);
}

/** A small model: a step of the one that ships takes half a minute on software graphics. */
async function openOnGraphicsCard(page: Page): Promise<void> {
  keepDevices(page);
  await page.getByRole('button', { name: 'Sticker world', exact: true }).click();
  await page.getByRole('button', { name: 'Use your own Stable Diffusion' }).click();
  await page.getByText('This computer', { exact: true }).click();
  await page
    .getByLabel('Model folder')
    .setInputFiles(join(import.meta.dirname, '../src/onnx/fixtures/micro'));
  await page.getByRole('button', { name: /^Copy / }).click();
  await expect(page.getByRole('button', { name: 'micro', exact: true })).toBeVisible({ timeout: 120_000 });
  await page.getByRole('button', { name: /^Processor/ }).click({ timeout: 120_000 });
  await page.getByRole('radio', { name: 'Graphics card (WebGPU)' }).click();
  await expect(page.getByRole('button', { name: /^Graphics card/ })).toBeVisible({ timeout: 120_000 });
  await page.keyboard.press('Escape');
}

const cardKills = Math.ceil(KILLS / 5);
const graphicsCard: Place = {
  open: openOnGraphicsCard,
  category: 'x',
  ways: {
    'lose the device': async (seat) => {
      await seat.page
        .workers()[0]!
        .evaluate(() => (self as unknown as { device: GPUDevice }).device.destroy());
      return seat;
    },
    'crash what drives the card': async (seat) => {
      await seat.command('Browser.crashGpuProcess');
      return seat;
    },
  },
  kills: cardKills,
  steps: 2 + 2 * cardKills,
  lastSteps: 2,
};

const thorough = KILLS > USUAL_KILLS;
for (const kind of thorough ? Object.keys(trainings) : ['a new concept'])
  test(`${kind} whose training is killed ${KILLS} times ends as one that was not`, async () => {
    test.setTimeout(300_000 + 90_000 * KILLS);
    await killedAndWhole(processor, kind);
  });

for (const kind of Object.keys(trainings))
  test(`${kind} whose graphics card is lost ${cardKills} times ends as one that kept it`, async () => {
    test.skip(!thorough, 'Its shaders take half a minute to be made on software graphics, after each loss.');
    test.setTimeout(850_000);
    await killedAndWhole(graphicsCard, kind);
  });

test('data that is cleared while the page is open is noticed and stored again', async ({ page, baseURL }) => {
  await openStudio(page);
  await teach(page, 'kept before', 1);
  await page.reload();
  await openStudio(page);
  await generateOne(page, 'A photo of {}', 1);
  const client = await page.context().newCDPSession(page);
  await client.send('Storage.clearDataForOrigin', { origin: baseURL!, storageTypes: 'all' });
  const said = page.getByText(/was deleted, in another tab.*What was open here has been stored again\.$/);
  await expect(said).toBeVisible({ timeout: 10_000 });
  await page.reload();
  await expect(concepts(page)).toContainText('kept before');
  await expect(results(page).getByRole('img')).toHaveCount(1);
  await expect(pictures(page)).toHaveCount(2);
});
