import { expect, type Page } from '@playwright/test';
import { encode } from 'fast-png';
import { readFile } from 'node:fs/promises';
import {
  addPictures,
  concepts,
  drawPicture,
  fillIn,
  generateOne,
  openStudio,
  pictures,
  promptBox,
  results,
  teach,
  type UploadFile,
} from './steps.ts';
import { test } from './visited.ts';

const file = (name: string, mimeType: string, bytes: Uint8Array): UploadFile => ({
  name,
  mimeType,
  buffer: Buffer.from(bytes),
});

const ascii = (text: string) => [...Buffer.from(text, 'latin1')];

/** A PNG that says it has 50 megapixels and holds next to nothing. */
function hugePng(): Uint8Array {
  const png = encode({ width: 1, height: 1, data: new Uint8Array(4), channels: 4 });
  new DataView(png.buffer, png.byteOffset).setUint32(16, 10_000);
  new DataView(png.buffer, png.byteOffset).setUint32(20, 5_000);
  return png;
}

/** Two frames of one pixel. */
function movingGif(): Uint8Array {
  const head = [...ascii('GIF89a'), 1, 0, 1, 0, 0x80, 0, 0, 255, 0, 0, 0, 0, 255];
  const frame = [0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0];
  return new Uint8Array([...head, ...frame, ...frame, 0x3b]);
}

const deepPng = () =>
  encode({ width: 64, height: 64, data: new Uint16Array(64 * 64 * 3).fill(30_000), channels: 3, depth: 16 });

interface PictureCase {
  readonly what: string;
  readonly file: (page: Page) => UploadFile | Promise<UploadFile>;
  /** Null when it is simply taken. */
  readonly message: RegExp | null;
  readonly taken: boolean;
}

const pictureCases: readonly PictureCase[] = [
  {
    what: 'a text file',
    file: () => file('notes.txt', 'text/plain', Buffer.from('hello')),
    message: /“notes\.txt” is not a picture/,
    taken: false,
  },
  {
    what: 'a text file that is called a picture',
    file: () => file('fake.png', 'image/png', Buffer.from('hello')),
    message: /“fake\.png” is not a picture\. It is a text/,
    taken: false,
  },
  {
    what: '0 bytes',
    file: () => file('empty.png', 'image/png', new Uint8Array()),
    message: /“empty\.png” is empty \(0 bytes\)/,
    taken: false,
  },
  {
    what: '50 megapixels',
    file: () => file('huge.png', 'image/png', hugePng()),
    message: /“huge\.png” has 50 megapixels/,
    taken: false,
  },
  {
    what: 'a JPEG that was cut short',
    file: async (page) => {
      const whole = await drawPicture(page, 'cut.jpg', 'image/jpeg');
      return { ...whole, buffer: whole.buffer.subarray(0, 120) };
    },
    message: /“cut\.jpg” is cut short/,
    taken: false,
  },
  {
    what: 'an animation',
    file: () => file('moves.gif', 'image/gif', movingGif()),
    message: /“moves\.gif” moves; its first frame was taken/,
    taken: true,
  },
  {
    what: '16 bits a channel',
    file: () => file('deep.png', 'image/png', deepPng()),
    message: null,
    taken: true,
  },
  { what: 'a WebP', file: (page) => drawPicture(page, 'x.webp', 'image/webp'), message: null, taken: true },
];

test.describe('pictures', () => {
  for (const { what, file: make, message, taken } of pictureCases)
    test(`${what}: ${taken ? 'taken' : 'refused by name, the others stay'}`, async ({ page }) => {
      await page.goto('/');
      const good = await drawPicture(page, 'good.png');
      await page.getByLabel('Concept images').setInputFiles([await make(page), good]);
      await expect(page.getByAltText('good.png', { exact: true })).toBeVisible();
      await expect(pictures(page)).toHaveCount(taken ? 2 : 1);
      const shown = page.getByRole('region', { name: 'Pictures' }).locator('.problem');
      if (message === null) await expect(shown).toHaveCount(0);
      else await expect(shown).toHaveText(message);
    });

  test('200 of them: the first 20 are taken', async ({ page }) => {
    await page.goto('/');
    const one = await drawPicture(page, 'one.png');
    await page.getByLabel('Concept images').setInputFiles(Array.from({ length: 200 }, () => one));
    await expect(page.getByText(/200 pictures were chosen.*the first 20 were added/)).toBeVisible();
    await expect(pictures(page)).toHaveCount(20);
  });

  test('one alone is enough, none is not', async ({ page }) => {
    await openStudio(page);
    await fillIn(page, 'nothing', 1);
    await page.getByRole('button', { name: 'Train concept' }).click();
    await expect(page.getByText('There is nothing to learn from')).toBeVisible();
    await addPictures(page, 1);
    await teach(page, 'one picture', 1);
  });
});

const formCases = [
  { field: 'Concept name', value: '  ', message: /Give the concept a name/ },
  { field: 'Category word', value: '', message: /Say in one word what it is/ },
  { field: 'Category word', value: 'tin robot', message: /./ },
  { field: 'Category word', value: 'qwertyzz', message: /./ },
  { field: 'Training steps', value: 'lots', message: /“lots” is not/ },
  { field: 'Training steps', value: '-3', message: /from 1 to 10000/ },
] as const;

test('the training form says what is wrong at the field, and forgets it when it is mended', async ({
  page,
}) => {
  await openStudio(page);
  await addPictures(page, 1);
  for (const { field, value, message } of formCases) {
    await fillIn(page, 'tin robot', 1);
    const input = page.getByLabel(field);
    await input.fill(value);
    await page.getByRole('button', { name: 'Train concept' }).click();
    await expect(input, `${field}: ${value}`).toHaveAccessibleDescription(message);
    await expect(input).toHaveAttribute('aria-invalid', 'true');
    await fillIn(page, 'tin robot', 1);
    await expect(input).toHaveAttribute('aria-invalid', 'false');
  }
  await expect(concepts(page).getByRole('listitem')).toHaveCount(0);
});

const promptCases = [
  { prompt: '', message: /The prompt is empty/ },
  { prompt: 'A photo on a beach', message: /no \{\}/ },
  { prompt: '{}, {}, {} and {}', message: /4 places for concepts/ },
  { prompt: `A photo of {} ${'on a beach '.repeat(20)}`, message: /tokens; the model reads/ },
] as const;

test('the prompt says what is wrong with it', async ({ page }) => {
  await openStudio(page);
  await teach(page, 'tin robot', 1);
  const input = promptBox(page);
  for (const { prompt, message } of promptCases) {
    await input.fill(prompt);
    await page.getByRole('button', { name: 'Generate' }).click();
    await expect(input, prompt).toHaveAccessibleDescription(message);
  }
  await input.fill('A zzyzx of {}');
  await expect(input).toHaveAccessibleDescription(/never taught “zzyzx”/);
  await expect(results(page).getByRole('img')).toHaveCount(0);
});

test('concept files that are cut, hostile or of another base leave the library as it was', async ({
  page,
}) => {
  await openStudio(page);
  await teach(page, 'tin robot', 1);
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export concept' }).click();
  const good = await readFile(await (await downloading).path());
  const hash = /[0-9a-f]{64}/.exec(good.toString('latin1'))![0];
  const foreign = Buffer.from(good.toString('latin1').replaceAll(hash, '0'.repeat(64)), 'latin1');
  const hostile = Buffer.concat([Buffer.from([255, 255, 255, 255, 255, 255, 255, 127]), good.subarray(8)]);
  const bad = {
    'cut.safetensors': good.subarray(0, good.length - 1000),
    'head.safetensors': good.subarray(0, 20),
    'hostile.safetensors': hostile,
    'foreign.safetensors': foreign,
    'empty.safetensors': Buffer.alloc(0),
    'text.safetensors': Buffer.from('not a concept at all'),
  };
  for (const [name, buffer] of Object.entries(bad)) {
    await page.getByLabel('Import concept').setInputFiles({ name, mimeType: '', buffer });
    await expect(page.getByText(`“${name}” was not imported.`)).toBeVisible();
    await expect(concepts(page).getByRole('listitem')).toHaveCount(1);
  }
});

test('full storage keeps the concept on the page, says so, and saves again', async ({ page }) => {
  await page.addInitScript(() => {
    const put = IDBObjectStore.prototype.put;
    const isConcept = (value: unknown) => typeof value === 'object' && value !== null && 'previews' in value;
    IDBObjectStore.prototype.put = function (value: unknown, ...rest) {
      if (isConcept(value) && !('roomy' in window)) throw new DOMException('no room', 'QuotaExceededError');
      return put.call(this, value, ...rest);
    };
  });
  await openStudio(page);
  await teach(page, 'too big', 1);
  await expect(page.getByText(/did not fit into the space/)).toBeVisible();
  await expect(concepts(page)).toContainText('not saved');
  await page.evaluate(() => Object.assign(window, { roomy: true }));
  await page.getByRole('button', { name: 'Save again' }).click();
  await expect(concepts(page)).not.toContainText('not saved');
  await page.reload();
  await expect(concepts(page)).toContainText('too big');
});

test('without storage the studio works and says that nothing is kept', async ({ page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException('denied', 'SecurityError');
    };
  });
  await openStudio(page);
  await expect(page.getByText(/does not let this page store anything \(denied\)/)).toBeVisible();
  await teach(page, 'for now', 1);
  await generateOne(page, 'A photo of {}', 1);
});

test('offline: says what is missing, and opens when the connection is back', async ({ page }) => {
  await page.route('**/models/**', (route) => route.abort('internetdisconnected'));
  await page.goto('/');
  await expect(page.locator('.problem')).toBeVisible({ timeout: 30_000 });
  await addPictures(page, 1);
  await page.unroute('**/models/**');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.getByRole('button', { name: /^(Processor|Graphics card)/ })).toBeVisible({
    timeout: 60_000,
  });
  await expect(pictures(page)).toHaveCount(1);
});

test('a second tab does not train at the same time', async ({ page, context }) => {
  await openStudio(page);
  await addPictures(page, 1);
  await fillIn(page, 'first tab', 2000);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByText(/^Step [1-9]\d* of 2000$/)).toBeVisible({ timeout: 60_000 });
  const second = await context.newPage();
  await openStudio(second);
  if ((await pictures(second).count()) === 0) await addPictures(second, 1);
  await fillIn(second, 'second tab', 1);
  await second.getByRole('button', { name: 'Train concept' }).click();
  await expect(second.getByText('Another tab of the studio is training')).toBeVisible();
  await page.getByRole('button', { name: 'Stop training' }).click();
  await expect(concepts(page)).toContainText('first tab', { timeout: 60_000 });
  await expect(concepts(second)).toContainText('first tab');
});

test('training goes on in a hidden tab, where nothing is drawn and timers crawl', async ({ page }) => {
  await openStudio(page);
  await addPictures(page, 1);
  await fillIn(page, 'in the dark', 200);
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' });
    Object.defineProperty(document, 'hidden', { get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
    window.requestAnimationFrame = () => 0;
    const { setTimeout } = window;
    Object.assign(window, {
      setTimeout: (work: () => void, delay = 0) => setTimeout(work, Math.max(delay, 1000)),
    });
  });
  const click = (name: string) =>
    page.evaluate((label) => {
      const buttons = [...document.querySelectorAll('button')];
      buttons.find((each) => each.textContent === label)!.click();
    }, name);
  await click('Train concept');
  const step = async () =>
    Number(/Step (\d+) of 200/.exec((await page.evaluate(() => document.body.textContent)) ?? '')?.[1] ?? 0);
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(2);
  const early = await step();
  await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(early + 3);
  await click('Stop training');
  const kept = () =>
    page.evaluate(() => document.querySelector('ul[aria-label="Concepts"]')?.textContent ?? '');
  await expect.poll(kept, { timeout: 60_000 }).toMatch(/in the dark.*of 200 steps/);
});

test('storms of clicks do no harm', async ({ page }) => {
  await openStudio(page);
  await addPictures(page, 1);
  await fillIn(page, 'stormy', 3);
  const storm = (name: string) =>
    page.evaluate((label) => {
      const find = () => [...document.querySelectorAll('button')].find((each) => each.textContent === label);
      for (let click = 0; click < 30; click++) find()?.click();
    }, name);
  await storm('Train concept');
  await expect(concepts(page)).toContainText(/stormy\s*3 steps/, { timeout: 120_000 });
  await expect(concepts(page).getByRole('listitem')).toHaveCount(1);
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await storm('Generate');
  await storm('Cancel');
  await storm('Generate');
  await expect(page.getByRole('button', { name: 'Generate' })).toBeEnabled({ timeout: 60_000 });
  await generateOne(page, 'A photo of {}', 9);
  await storm('Train concept');
  await storm('Stop training');
  await expect(page.getByRole('button', { name: 'Train concept' })).toBeVisible({ timeout: 60_000 });
  await generateOne(page, 'A photo of {}', 10);
});

test('a killed worker is replaced and nothing is lost', async ({ page }) => {
  await page.addInitScript(() => {
    const workers: Worker[] = [];
    class WatchedWorker extends Worker {
      constructor(...options: ConstructorParameters<typeof Worker>) {
        super(...options);
        workers.push(this);
      }
    }
    window.Worker = WatchedWorker;
    Object.assign(window, {
      killWorker: () => workers[0]!.dispatchEvent(new ErrorEvent('error', { message: 'killed by the test' })),
    });
  });
  await openStudio(page);
  await teach(page, 'before', 1);
  await fillIn(page, 'during', 2000);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByText(/^Step [1-9]\d* of 2000$/)).toBeVisible({ timeout: 60_000 });
  await page.evaluate('killWorker()');
  await expect(page.getByText(/killed by the test/).first()).toBeVisible();
  await expect(page.getByText(/Nothing that was kept is lost/)).toBeVisible({ timeout: 60_000 });
  await expect(concepts(page)).toContainText('before');
  await expect(page.getByLabel('Concept name')).toHaveValue('during');
  await generateOne(page, 'A photo of {}', 1);
});
