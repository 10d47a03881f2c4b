/** Concepts from and for other programs, through the page. */
import { expect, type Page } from '@playwright/test';
import { unzipSync } from 'fflate';
import { readFile } from 'node:fs/promises';
import { readSafetensors, writeSafetensors } from '../src/lib/safetensors.ts';
import { addPictures, concepts, generateOne, openStudio, teach } from './steps.ts';
import { test } from './visited.ts';

const fixture = (name: string) => `src/neti/foreign/fixtures/${name}`;

async function exportAs(page: Page, concept: string, item: string) {
  const downloading = page.waitForEvent('download');
  await page.getByRole('button', { name: `Options for ${concept}` }).click();
  await page.getByRole('menuitem', { name: item }).click();
  const download = await downloading;
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

test('a textual inversion of three vectors is imported, draws and is exported; what does not fit or would run a program is refused', async ({
  page,
}) => {
  await openStudio(page);
  const input = page.getByLabel('Import concept');
  await input.setInputFiles(fixture('three.pt'));
  await expect(concepts(page)).toContainText('cat-toy');
  await expect(page.getByText('its file says it was learned on “sd-v1-4”')).toContainText(
    'it takes 3 tokens',
  );
  await page.getByRole('button', { name: 'Steps, guidance, sampler' }).click();
  await page.getByLabel('Sampling steps').fill('2');
  await generateOne(page, 'A photo of {}', 5);
  await expect(page.getByText('A textual inversion is the same at every truncation')).toBeVisible();
  const exported = await exportAs(page, 'cat-toy', 'Export as textual inversion');
  expect(exported.name).toBe('cat-toy.learned_embeds.safetensors');
  const [given, found] = [await readFile(fixture('three.safetensors')), exported.bytes].map((bytes) =>
    readSafetensors(new Uint8Array(bytes)).tensors.get('<cat-toy>')!,
  );
  expect(found).toEqual(given);

  await input.setInputFiles([fixture('mapper-final.pt'), fixture('learned_embeds-final.bin')]);
  const refusal = page.getByText('“mapper-final.pt” with “learned_embeds-final.bin” was not imported.');
  await expect(refusal).toContainText('word vectors of 12 numbers');
  await expect(refusal).toContainText('"sticker-world" has 128 numbers');

  const hostile = Buffer.from('\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.', 'latin1');
  await input.setInputFiles({ name: 'hostile.pt', mimeType: '', buffer: hostile });
  await expect(page.getByText('“hostile.pt” was not imported.')).toContainText('"os.system"');
  await expect(concepts(page).getByRole('listitem')).toHaveCount(1);
});

test("a concept leaves as the official code's two files, which are one concept again, together or in their zip", async ({
  page,
}) => {
  await openStudio(page);
  await teach(page, 'tin robot', 1);
  const zip = await exportAs(page, 'tin robot', 'Export for the official NeTI code');
  expect(zip.name).toBe('tin robot.official-neti.zip');
  const files = Object.entries(unzipSync(new Uint8Array(zip.bytes)));
  expect(files.map(([name]) => name)).toEqual(['mapper-final.pt', 'learned_embeds-final.bin']);
  const word = await exportAs(page, 'tin robot', 'Export as textual inversion (lossy)');
  expect(word.name).toBe('tin robot.lossy.learned_embeds.safetensors');

  await page
    .getByLabel('Import concept')
    .setInputFiles(files.map(([name, bytes]) => ({ name, mimeType: '', buffer: Buffer.from(bytes) })));
  await expect(concepts(page).getByRole('button', { name: /^tin-robot/ })).toHaveCount(1);
  await expect(concepts(page).getByRole('listitem')).toHaveCount(2);
  await page
    .getByLabel('Import concept')
    .setInputFiles({ name: zip.name, mimeType: 'application/zip', buffer: Buffer.from(zip.bytes) });
  await expect(concepts(page).getByRole('button', { name: /^tin-robot/ })).toHaveCount(2);
  await page.reload();
  await expect(concepts(page).getByRole('button', { name: /^tin-robot/ })).toHaveCount(2, {
    timeout: 60_000,
  });
});

test('a word of as many vectors as leave room for one preview only is trained further', async ({ page }) => {
  await openStudio(page);
  // Of 20 tokens: start, end and the four words of “A photo of a” fit, the six of “A photo of on a beach” do not.
  const vectors = { shape: [13, 128], values: new Float32Array(13 * 128).fill(0.01) };
  const word = writeSafetensors(new Map([['<long-word>', vectors]]), new Map());
  await page
    .getByLabel('Import concept')
    .setInputFiles({ name: 'long.safetensors', mimeType: '', buffer: Buffer.from(word) });
  await expect(page.getByText('it takes 13 tokens')).toBeVisible();
  await addPictures(page, 1);
  await page.getByLabel('Category word').fill('toy');
  await page.getByLabel('Training steps').fill('1');
  await page.getByRole('button', { name: 'Continue training' }).click();
  await expect(page.getByRole('button', { name: 'Stop training' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Train concept' })).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('list', { name: 'Previews' }).getByRole('img')).toHaveCount(2);
});
