/**
 * A checkpoint as people have it: one .safetensors (random, narrow, of CLIP's vocabulary) is dropped on the page, taught, drawn with, and
 * still there after a reload; what is no model is refused by name.
 */
import { expect, type Page } from '@playwright/test';
import { drawableCheckpoint, separateVae } from '../src/checkpoint/testing/narrowCheckpoints.ts';
import { HUB_REPO, startTestServer } from '../src/intake/testing/server.ts';
import { addPictures, concepts, generateOne, openStudio } from './steps.ts';
import { test } from './visited.ts';

const dialog = (page: Page) => page.getByRole('dialog', { name: 'Use your own Stable Diffusion' });
const place = (page: Page, title: string) => page.getByRole('button', { name: title, exact: true });

async function drop(page: Page, name: string, content: Uint8Array): Promise<void> {
  const data = await page.evaluateHandle(
    async ({ called, encoded }) => {
      const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], called));
      return Promise.resolve(transfer);
    },
    { called: name, encoded: Buffer.from(content).toString('base64') },
  );
  await dialog(page)
    .getByText('Drop the model’s .safetensors file')
    .dispatchEvent('drop', { dataTransfer: data });
}

async function openDialog(page: Page): Promise<void> {
  await openStudio(page);
  await place(page, 'Sticker world').click();
  await page.getByRole('button', { name: 'Use your own Stable Diffusion' }).click();
  await dialog(page).getByText('This computer', { exact: true }).click();
}

test('a dropped .safetensors is opened, taught, drawn with, and there after a reload', async ({ page }) => {
  await openDialog(page);
  await drop(page, 'narrow.safetensors', await drawableCheckpoint());
  await expect(dialog(page)).toContainText('recognised from its weights', { timeout: 60_000 });
  await dialog(page)
    .getByRole('button', { name: /^Copy / })
    .click();
  await expect(place(page, 'narrow')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });

  await addPictures(page, 1);
  await page.getByLabel('Concept name').fill('odd thing');
  await page.getByLabel('Category word').fill('toy');
  await page.getByLabel('Training steps').fill('2');
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(concepts(page)).toContainText('odd thing', { timeout: 120_000 });
  await expect(page.getByRole('button', { name: 'Stop training' })).toHaveCount(0, { timeout: 120_000 });
  await generateOne(page, 'A photo of {}', 3);

  await page.waitForTimeout(500); // The draft is saved a moment after it changed.
  await page.reload();
  await expect(place(page, 'narrow')).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: /^Processor/ })).toBeVisible({ timeout: 120_000 });
  await expect(concepts(page).getByRole('button', { name: /^odd thing/ })).toBeEnabled();
  await generateOne(page, 'A photo of {}', 4);
});

test('a file that is no model is refused by what it is', async ({ page }) => {
  await openDialog(page);
  await page.getByLabel('Model file').setInputFiles({
    name: 'model.ckpt',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from([0x80, 2, 0x7d, ...new Array<number>(600).fill(0)]),
  });
  await expect(
    dialog(page).getByText(/“model.ckpt” is a Python pickle.*Save it as \.safetensors/),
  ).toBeVisible();
});

test('a file without a VAE asks for one, and what it does not say of itself can be told', async ({
  page,
}) => {
  await openDialog(page);
  const { model, vae } = await separateVae('bk-tiny');
  const file = (name: string, content: Uint8Array) => ({
    name,
    mimeType: 'application/octet-stream',
    buffer: Buffer.from(content),
  });
  await page.getByLabel('Model file').setInputFiles(file('pruned.safetensors', model));
  await expect(dialog(page).getByRole('heading', { name: 'pruned.safetensors has no VAE' })).toBeVisible();
  await dialog(page).getByLabel('VAE file').setInputFiles(file('vae.safetensors', vae));
  await expect(dialog(page)).toContainText(
    '1.x that predicts noise at 512 × 512, recognised from its weights',
  );
  await dialog(page).getByLabel('It predicts').selectOption('v');
  await expect(dialog(page)).toContainText('predicts v at 512 × 512, as you chose');
  await dialog(page).getByLabel('For pictures of').selectOption('768');
  await expect(dialog(page)).toContainText('predicts v at 768 × 768, as you chose');
});

test('a well-known model is judged and looked at in one click; one of two files, and one by its address, with what it will take', async ({
  page,
}) => {
  const file = await drawableCheckpoint();
  const server = await startTestServer(
    new Map([
      ['a.safetensors', file],
      ['b.safetensors', file],
    ]),
  );
  await page.context().route('https://huggingface.co/**', async (route) => {
    const path = route
      .request()
      .url()
      .replace(/^https:\/\/[^/]+\//, '')
      .replace('segmind/small-sd', HUB_REPO);
    await route.fulfill({ response: await route.fetch({ url: new URL(`/${path}`, server.url).href }) });
  });
  await openStudio(page);
  await place(page, 'Sticker world').click();
  await page.getByRole('button', { name: 'Use your own Stable Diffusion' }).click();
  const known = dialog(page).getByRole('listitem').filter({ hasText: 'Segmind Small SD' });
  await expect(known).toContainText('Too large');
  await expect(known).toContainText(/1\.6 GB · CreativeML OpenRAIL-M/);
  await expect(known).toContainText(/needs [\d.]+ GB of memory, as planned from its graph/);

  await known.getByRole('button', { name: 'Get Segmind Small SD' }).click();
  await dialog(page)
    .getByRole('radio', { name: /^b\.safetensors/ })
    .check();
  await dialog(page).getByRole('button', { name: 'See what it takes' }).click();
  await expect(dialog(page)).toContainText('Learns concepts here: yes', { timeout: 60_000 });
  await expect(dialog(page)).toContainText('segmind/small-sd at main');
  await dialog(page).getByRole('button', { name: 'Back' }).click();

  await dialog(page).getByText('Address', { exact: true }).click();
  await page.getByLabel('Address of the model’s folder or file').fill(`${server.url}a.safetensors?sig=1#x`);
  await page.getByRole('button', { name: 'See what it takes' }).click();
  await expect(dialog(page)).toContainText(/Training needs [\d.]+ MB of memory, as planned from its graph/, {
    timeout: 60_000,
  });
  // Of the file itself only its start was asked for.
  expect(server.requests.every(({ from }) => from === 0)).toBe(true);
  await server.close();
});
