/** Shared by the page's tests: opening the studio, pictures made in the browser, a short training. */
import { expect, type Page } from '@playwright/test';

export interface UploadFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Address of a page under e2e/pages. */
export const testPage = (name: string) => `${process.env['TEST_PAGES']}/${name}.html`;

export async function openStudio(page: Page): Promise<void> {
  await page.goto('/');
  await expect(page.getByRole('button', { name: /^(Processor|Graphics card)/ })).toBeVisible({
    timeout: 60_000,
  });
}

/** A picture file that the browser itself encodes: a disc on a plain ground. */
export async function drawPicture(page: Page, name: string, type = 'image/png'): Promise<UploadFile> {
  const bytes = await page.evaluate(async (mimeType) => {
    const context = new OffscreenCanvas(64, 64).getContext('2d')!;
    context.fillStyle = '#88c0e0';
    context.fillRect(0, 0, 64, 64);
    context.fillStyle = '#d04030';
    context.arc(32, 34, 18, 0, 7);
    context.fill();
    return [...new Uint8Array(await (await context.canvas.convertToBlob({ type: mimeType })).arrayBuffer())];
  }, type);
  return { name, mimeType: type, buffer: Buffer.from(bytes) };
}

export async function addPictures(page: Page, count: number): Promise<void> {
  const files = await Promise.all(
    Array.from({ length: count }, (_, index) => drawPicture(page, `${index}.png`)),
  );
  await page.getByLabel('Concept images').setInputFiles(files);
  await expect(pictures(page)).toHaveCount(count);
}

export const pictures = (page: Page) => page.locator('.tile-picture');
export const results = (page: Page) => page.getByRole('region', { name: 'Results' });
export const concepts = (page: Page) => page.getByRole('list', { name: 'Concepts' });

export async function fillIn(page: Page, name: string, steps: number): Promise<void> {
  await page.getByLabel('Concept name').fill(name);
  await page.getByLabel('Category word').fill('toy');
  await page.getByLabel('Training steps').fill(`${steps}`);
}

/** Teaches a concept for a few steps and waits until it is in the library. */
export async function teach(page: Page, name: string, steps = 2): Promise<void> {
  if ((await pictures(page).count()) === 0) await addPictures(page, 2);
  await fillIn(page, name, steps);
  await page.getByRole('button', { name: 'Train concept' }).click();
  await expect(page.getByRole('button', { name: 'Stop training' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Train concept' })).toBeVisible({ timeout: 120_000 });
  await expect(concepts(page)).toContainText(name);
}

/** Where the prompt is written; the judge's score of a result is called "Prompt" too. */
export const promptBox = (page: Page) => page.getByRole('textbox', { name: 'Prompt', exact: true });

/** One picture of few steps: enough to see that it works. */
export async function generateOne(page: Page, prompt: string, seed: number): Promise<void> {
  await promptBox(page).fill(prompt);
  await page.getByLabel('Seed', { exact: true }).fill(`${seed}`);
  await page.getByLabel('Pictures', { exact: true }).selectOption('1');
  await page.getByRole('button', { name: 'Generate' }).click();
  const made = results(page).getByRole('img', { name: `${prompt} (` });
  await expect(made.first()).toBeVisible({ timeout: 120_000 });
  await expect(page.getByRole('button', { name: 'Generate' })).toBeEnabled();
}
