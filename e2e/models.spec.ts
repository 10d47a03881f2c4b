/**
 * A Stable Diffusion of one's own: the micro model (random weights, Stable Diffusion's exact layout, no words.json) is served
 * from localhost and chosen as a folder; it is planned, fetched, compiled in the worker, opened, taught and drawn with.
 */
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { hubCommit, HUB_REPO, startTestServer, type TestServer } from '../src/intake/testing/server.ts';
import { addPictures, concepts, generateOne, openStudio, pictures, results } from './steps.ts';
import { test } from './visited.ts';

const folder = join(import.meta.dirname, '../src/onnx/fixtures/micro');

/** Without tokenizer.json, as older repositories are: the tokenizer is made from the vocabulary and the merges. */
async function microFiles(): Promise<Map<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((each) => each.isFile())
    .map((each) => relative(folder, join(each.parentPath, each.name)))
    .filter((path) => path !== 'tokenizer/tokenizer.json');
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readFile(join(folder, path))] as const)),
  );
}

let server: TestServer;
test.beforeAll(async () => {
  server = await startTestServer(await microFiles());
  server.files.set('LICENSE', Buffer.from('MIT'));
});
test.afterAll(() => server.close());

/** Addresses asked for beyond the page's own server and the model's. */
function watchForeign(page: Page, baseURL: string): string[] {
  const foreign: string[] = [];
  const known = [baseURL, new URL(server.url).origin];
  page.on('request', (request) => {
    const url = request.url();
    if (!/^(data|blob):/.test(url) && !known.includes(new URL(url).origin)) foreign.push(url);
  });
  return foreign;
}

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Use your own Stable Diffusion' });
const modelDialog = (page: Page) => page.getByRole('dialog', { name: 'Which model draws' });
/** The header's button: called by the open model. */
const place = (page: Page, title: string) => page.getByRole('button', { name: title, exact: true });

async function startGetting(page: Page, way: string): Promise<void> {
  await place(page, 'Sticker world').click();
  await page.getByRole('button', { name: 'Use your own Stable Diffusion' }).click();
  await dialog(page).getByText(way, { exact: true }).click();
}

async function askAddress(page: Page): Promise<void> {
  await startGetting(page, 'Address');
  await page.getByLabel('Address of the model’s folder or file').fill(server.url);
  await page.getByRole('button', { name: 'See what it takes' }).click();
}

/** Watches for words that may stand on the page for a moment only; whether they did. */
async function recordText(page: Page, text: string): Promise<() => Promise<boolean>> {
  const seen = await page.evaluateHandle((wanted) => {
    const state = { seen: false };
    const look = () => (state.seen ||= document.body.textContent.includes(wanted));
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    return state;
  }, text);
  return () => seen.evaluate((state) => state.seen);
}

async function teachAndDraw(page: Page): Promise<void> {
  if ((await pictures(page).count()) === 0) await addPictures(page, 1);
  await page.getByLabel('Concept name').fill('odd thing');
  // The micro model's tokens are single letters.
  await page.getByLabel('Category word').fill('x');
  await page.getByLabel('Training steps').fill('2');
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(concepts(page)).toContainText('odd thing', { timeout: 120_000 });
  await expect(page.getByRole('button', { name: 'Stop training' })).toHaveCount(0, { timeout: 120_000 });
  await generateOne(page, 'A photo of {}', 3);
}

test('a model from an address is shown first, fetched, compiled, taught, drawn with, kept and removed', async ({
  page,
  baseURL,
}) => {
  const foreign = watchForeign(page, baseURL!);
  await openStudio(page);
  await askAddress(page);
  await expect(dialog(page)).toContainText(/1\d files, [\d.]+ (kB|MB)/);
  await expect(dialog(page).getByRole('link', { name: 'LICENSE' })).toHaveAttribute(
    'href',
    `${server.url}LICENSE`,
  );
  await expect(dialog(page)).toContainText('Draws pictures here: yes');
  await expect(dialog(page)).toContainText('Learns concepts here: yes');
  // So far each file was asked for its size, and the scheduler's configuration and the graphs, which are small, were read.
  const asked = server.requests.map(({ path }) => path);
  const graphs = ['text_encoder', 'unet', 'vae_decoder', 'vae_encoder'].map((part) => `${part}/model.onnx`);
  expect(asked.filter((path, i) => asked.indexOf(path) !== i).toSorted()).toEqual(
    ['scheduler/scheduler_config.json', ...graphs].toSorted(),
  );
  const said = await recordText(page, 'Preparing the model for training, once: the U-Net, part 2 of 4');
  await dialog(page)
    .getByRole('button', { name: /^Fetch / })
    .click();
  await expect(place(page, 'model')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });
  expect(await said()).toBe(true);

  // It starts from the official settings, not from those of the base that ships here.
  await expect(page.getByLabel('Training steps')).toHaveValue('500');
  await teachAndDraw(page);
  // A base without a word list knows no unknown words.
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('A {} zzyzx');
  await expect(page.getByText('was never taught')).toHaveCount(0);

  await page.waitForTimeout(500); // The draft is saved a moment after it changed.
  await page.reload();
  await expect(place(page, 'model')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });
  await expect(concepts(page).getByRole('button', { name: /^odd thing/ })).toBeEnabled();

  await place(page, 'model').click();
  await modelDialog(page).getByRole('button', { name: 'Remove model' }).click();
  await modelDialog(page)
    .getByRole('button', { name: /^Remove [\d.]+ / })
    .click();
  await expect(place(page, 'Sticker world')).toBeVisible({ timeout: 120_000 });
  await expect(modelDialog(page).getByRole('radio')).toHaveCount(1);
  await page.keyboard.press('Escape');
  // The concept stays, marked with the base that it needs.
  await expect(concepts(page).getByRole('button', { name: /^odd thing\s*for model/ })).toBeDisabled();
  expect(foreign).toEqual([]);
});

test('a model from a folder is copied and opened', async ({ page, baseURL }) => {
  const foreign = watchForeign(page, baseURL!);
  await openStudio(page);
  await startGetting(page, 'This computer');
  await page.getByLabel('Model folder').setInputFiles(folder);
  await expect(dialog(page)).toContainText('a folder on this computer');
  await expect(dialog(page)).toContainText(/Training needs [\d.]+ MB of memory, as planned from its graph/);
  await dialog(page)
    .getByRole('button', { name: /^Copy / })
    .click();
  await expect(place(page, 'micro')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });
  await page.getByRole('textbox', { name: 'Prompt', exact: true }).fill('A photo');
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await page.getByRole('button', { name: 'Generate' }).click();
  await expect(results(page).getByRole('img', { name: 'A photo, seed' })).toBeVisible({ timeout: 120_000 });
  expect(foreign).toEqual([]);
});

test('a repository of the Hugging Face Hub is shown with its commit and licence; nobody else is asked', async ({
  page,
  baseURL,
}) => {
  // The Hub's answers come from the test server, which lists its files as the Hub does.
  await page.context().route('https://huggingface.co/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({
      response: await route.fetch({ url: new URL(pathname + search, server.url).href }),
    });
  });
  const foreign = watchForeign(page, baseURL!);
  await openStudio(page);
  await startGetting(page, 'Hugging Face');
  await page.getByLabel('Repository').fill(`https://huggingface.co/${HUB_REPO}`);
  await page.getByRole('button', { name: 'See what it takes' }).click();
  await expect(dialog(page)).toContainText(`huggingface.co, ${HUB_REPO} at main (${hubCommit.slice(0, 7)})`);
  await expect(dialog(page)).toContainText('mit');
  await dialog(page)
    .getByRole('button', { name: /^Fetch / })
    .click();
  await expect(place(page, HUB_REPO)).toBeVisible({ timeout: 120_000 });
  expect(foreign.filter((url) => new URL(url).host !== 'huggingface.co')).toEqual([]);
});

test('a fetch is paused, gone on with after a reload, and cancelled for good', async ({ page }) => {
  server.delay = 200;
  await openStudio(page);
  await askAddress(page);
  await dialog(page)
    .getByRole('button', { name: /^Fetch / })
    .click();
  await expect(dialog(page).getByText(/left$/)).toBeVisible({ timeout: 30_000 });
  await dialog(page).getByRole('button', { name: 'Pause' }).click();
  await expect(dialog(page).getByText('Paused')).toBeVisible();
  await page.reload();
  await page.getByRole('button', { name: 'Sticker world' }).click();
  await expect(modelDialog(page)).toContainText(/of [\d.]+ (kB|MB) fetched/);
  await modelDialog(page).getByRole('button', { name: 'Go on' }).click();
  await dialog(page)
    .getByRole('button', { name: /^Fetch / })
    .click();
  await expect(dialog(page).getByRole('button', { name: 'Pause' })).toBeVisible();
  await dialog(page).getByRole('button', { name: 'Cancel and remove' }).click();
  server.delay = 0;
  await expect(dialog(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Sticker world' }).click();
  await expect(modelDialog(page).getByRole('listitem')).toHaveCount(1);
});

test('what is no model is refused with what to look for; a model that is gone leaves the way to the shipped one', async ({
  page,
}) => {
  await openStudio(page);
  await startGetting(page, 'Address');
  await page.getByLabel('Address of the model’s folder or file').fill(`${server.url}nothing/`);
  await page.getByRole('button', { name: 'See what it takes' }).click();
  await expect(dialog(page).getByText(/Expected Stable Diffusion 1.x or 2.x/)).toBeVisible();
  await page.keyboard.press('Escape');

  await page.evaluate(async () => {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const opening = indexedDB.open('neti-studio-draft');
      opening.onsuccess = () => resolve(opening.result);
    });
    const store = database.transaction('records', 'readwrite').objectStore('records');
    const form = await new Promise<object>((resolve) => {
      const reading = store.get('form');
      reading.onsuccess = () => resolve(reading.result as object);
    });
    await new Promise((resolve) => {
      store.put({ ...form, model: '0123456789abcdef' }, 'form').onsuccess = resolve;
    });
  });
  await page.reload();
  await expect(page.getByText('no longer kept in this browser')).toBeVisible();
  await page.getByRole('button', { name: 'Open the model that comes with this page' }).click();
  await expect(place(page, 'Sticker world')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });
});

const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [1280, 390].map((width) => ({ colorScheme, width })),
);

test('axe finds nothing in the model list and the dialog, light and dark, wide and narrow', async ({
  page,
}) => {
  const check = async () => {
    for (const { colorScheme, width } of looks) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.setViewportSize({ width, height: 844 });
      const found = (await new AxeBuilder({ page }).analyze()).violations;
      expect(found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
    }
  };
  await openStudio(page);
  await place(page, 'Sticker world').click();
  await expect(modelDialog(page)).toContainText('are free');
  await check();
  await page.getByRole('button', { name: 'Use your own Stable Diffusion' }).click();
  await expect(dialog(page).getByRole('button', { name: 'Get BK-SDM Tiny' })).toBeVisible();
  await check();
  await dialog(page).getByText('Address', { exact: true }).click();
  await page.getByLabel('Address of the model’s folder or file').fill(server.url);
  await page.getByRole('button', { name: 'See what it takes' }).click();
  await expect(dialog(page)).toContainText('Draws pictures here');
  await check();
  server.delay = 1000;
  await dialog(page)
    .getByRole('button', { name: /^Fetch / })
    .click();
  await expect(dialog(page).getByText(/left$/)).toBeVisible({ timeout: 30_000 });
  await check();
  await dialog(page).getByRole('button', { name: 'Cancel and remove' }).click();
  server.delay = 0;
  await expect(dialog(page)).toHaveCount(0);
});
