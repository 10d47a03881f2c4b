/**
 * A training that is killed again and again comes to the weights, curve and previews of one that was not, bit for bit.
 * `KILLS=17 npx playwright test e2e/survival.spec.ts` kills each of three kinds of training seventeen times, and takes a graphics card away.
 */
import { chromium, expect, test, type BrowserContext, type Page } from '@playwright/test';
import { browserLaunch } from '../src/tools/browser.ts';
import {
  addPictures,
  concepts,
  drawPicture,
  fillIn,
  generateOne,
  openStudio,
  pictures,
  results,
  teach,
} from './steps.ts';

const USUAL_KILLS = 5;
const KILLS = Number(process.env['KILLS'] ?? USUAL_KILLS);
/** Long enough for every kill to find it at work. */
const STEPS = 20 + 24 * KILLS;
const goOn = (page: Page) => page.getByRole('button', { name: 'Go on', exact: true });
const working = (page: Page) => page.getByRole('button', { name: 'Stop training' });

async function fillInAll(page: Page, name: string, method: string): Promise<void> {
  await fillIn(page, name, STEPS);
  const options = page.getByRole('button', { name: 'More training options' });
  if ((await options.getAttribute('aria-expanded')) === 'false') await options.click();
  await page.getByLabel('Method').selectOption(method);
  await page.getByLabel('Pictures a step').fill('2');
}

async function begin(page: Page, name: string, method = 'neti'): Promise<void> {
  await fillInAll(page, name, method);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(working(page)).toBeVisible();
}

/** Each begins a training of the name; what it needs before was not killed. */
const trainings: Record<string, (page: Page, name: string) => Promise<void>> = {
  'a new concept': begin,
  'a textual inversion': (page, name) => begin(page, name, 'textual-inversion'),
  'a further training': async (page, name) => {
    await fillInAll(page, name, 'neti');
    await teach(page, name, 3);
    await page.getByLabel('Training steps').fill(`${STEPS}`);
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
    const client = await this.context.newCDPSession(this.page);
    const crashed =
      command === 'Page.crash' ? this.page.waitForEvent('crash') : this.context.waitForEvent('close');
    void client.send(command).catch(() => undefined);
    await crashed;
  }
}

/** Each ends the page or its worker in another way, and gives the page to go on with. */
const kills: Record<string, (seat: Seat) => Promise<Seat>> = {
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

async function killAndGoOn(seat: Seat, index: number): Promise<Seat> {
  const [name, end] = Object.entries(kills)[index % Object.keys(kills).length]!;
  // At a moment that differs from run to run; the first may come before anything was learned.
  await seat.page.waitForTimeout(500 + Math.random() * 1500);
  return test.step(name, async () => {
    const next = await end(seat);
    const { page } = next;
    if (page.url() === 'about:blank') await openStudio(page);
    await expect(goOn(page)).toBeEnabled({ timeout: 60_000 });
    await expect(page.getByText(/training of cut was interrupted at step \d+ of/)).toBeVisible();
    await goOn(page).click();
    await expect(working(page)).toBeVisible();
    return next;
  });
}

const kinds = KILLS > USUAL_KILLS ? Object.keys(trainings) : ['a new concept'];
for (const kind of kinds)
  test(`${kind} whose training is killed ${KILLS} times ends as one that was not`, async () => {
    test.setTimeout(300_000 + 90_000 * KILLS);
    let seat = await Seat.at(test.info().outputPath('profile'));
    await openStudio(seat.page);
    await addPictures(seat.page, 1);
    await trainings[kind]!(seat.page, 'whole');
    await ended(seat.page);
    await trainings[kind]!(seat.page, 'cut');
    for (let kill = 0; kill < KILLS; kill++) seat = await killAndGoOn(seat, kill);
    const { page } = seat;
    await ended(page);
    await expect(concepts(page)).toContainText('cut');
    const [whole, cut] = [await learned(page, 'whole'), await learned(page, 'cut')];
    expect(cut.step).toBe(whole.step);
    expect(cut.weights).toBe(whole.weights);
    expect(cut.curve).toEqual(whole.curve);
    expect(cut.previews.length).toBe(whole.previews.length);
    cut.previews.forEach((pixels, i) => {
      expect(
        pixels.length === whole.previews[i]!.length && pixels.every((x, k) => x === whole.previews[i]![k]),
      ).toBe(true);
    });
    await seat.context.close();
  });

test('a graphics card that is lost in the middle of a training costs nothing', async ({ page }) => {
  test.skip(KILLS <= USUAL_KILLS, 'A step takes half a minute on software graphics.');
  test.setTimeout(900_000);
  page.on('worker', (worker) => {
    const patched = worker.evaluate(() => {
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (...options) {
        const device = await requestDevice.apply(this, options);
        return Object.assign(self, { device }).device;
      };
    });
    patched.catch(() => undefined);
  });
  await openStudio(page);
  await page.getByLabel('Concept images').setInputFiles([await drawPicture(page, 'disc.png')]);
  await page.getByRole('button', { name: /^Processor/ }).click();
  await page.getByRole('radio', { name: 'Graphics card (WebGPU)' }).click();
  const onGraphicsCard = page.getByRole('button', { name: /^Graphics card/ });
  await expect(onGraphicsCard).toBeVisible({ timeout: 120_000 });
  await page.keyboard.press('Escape');
  await fillIn(page, 'lost', 5);
  await page.getByRole('button', { name: 'More training options' }).click();
  await page.getByLabel('Pictures a step').fill('2');
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByText(/^Step [2-4] of 5$/)).toBeVisible({ timeout: 300_000 });
  await page.workers()[0]!.evaluate(() => (self as unknown as { device: GPUDevice }).device.destroy());
  await expect(page.getByText(/training of lost was interrupted at step [1-4] of 5/)).toBeVisible();
  await expect(goOn(page)).toBeEnabled({ timeout: 120_000 });
  await expect(onGraphicsCard).toBeVisible();
  await goOn(page).click();
  await ended(page);
  await expect(concepts(page)).toContainText(/lost\s*5 steps/);
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
