/** What is dropped, pasted or dragged goes where it belongs: text into text fields, concepts into the library, pictures among the pictures. */
import { expect, type Locator, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { concepts, drawPicture, openStudio, pictures, promptBox, type UploadFile } from './steps.ts';
import { test } from './visited.ts';

const brought = async (name: string): Promise<UploadFile> => ({
  name,
  mimeType: '',
  buffer: await readFile(`src/neti/foreign/fixtures/brought/${name}`),
});

interface Carried {
  readonly file?: UploadFile;
  readonly texts?: Readonly<Record<string, string>>;
}

/** Sends an event as the browser does; says whether the page kept the browser from its own handling. */
function give(target: Locator, type: 'drop' | 'paste', { file, texts = {} }: Carried): Promise<boolean> {
  return target.evaluate(
    (element, { type, name, bytes, texts }) => {
      const data = new DataTransfer();
      if (name !== null) data.items.add(new File([new Uint8Array(bytes)], name));
      for (const [format, text] of Object.entries(texts)) data.setData(format, text);
      const about = { bubbles: true, cancelable: true };
      if (type === 'paste')
        return !element.dispatchEvent(new ClipboardEvent('paste', { ...about, clipboardData: data }));
      return ['dragenter', 'dragover', 'drop']
        .map((each) => element.dispatchEvent(new DragEvent(each, { ...about, dataTransfer: data })))
        .includes(false);
    },
    { type, name: file?.name ?? null, bytes: [...(file?.buffer ?? [])], texts },
  );
}

const app = (page: Page) => page.locator('.app');

test('spreadsheet cells pasted into a text field are text, and text is dragged within it', async ({
  page,
}) => {
  await openStudio(page);
  const cells = { file: await drawPicture(page, 'image.png'), texts: { 'text/plain': '1\t2' } };
  expect(await give(promptBox(page), 'paste', cells)).toBe(false);
  expect(await give(promptBox(page), 'drop', { texts: { 'text/plain': 'beach' } })).toBe(false);
  await expect(pictures(page)).toHaveCount(0);
  const prompt = promptBox(page);
  await prompt.fill('beach A photo of {} on a ');
  await prompt.evaluate((area: HTMLTextAreaElement) => area.setSelectionRange(0, 5));
  const box = (await prompt.boundingBox())!;
  await page.mouse.move(box.x + 30, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + 120, box.y + box.height / 2, { steps: 5 });
  await page.mouse.move(box.x + box.width - 20, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await expect(prompt).toHaveValue(/A photo of \{\} on a beach/);
});

test('concepts are imported by drop, by paste and from a zip, whatever they are called', async ({ page }) => {
  await openStudio(page);
  await give(app(page), 'paste', { file: await brought('06-safetensors-inside.pt') });
  await expect(concepts(page)).toContainText('06-safetensors-inside');
  await give(app(page), 'drop', { file: await brought('18-download.zip') });
  await expect(concepts(page).getByRole('listitem')).toHaveCount(2);
  await page.getByLabel('Import concept').setInputFiles(await brought('13-embedding.ckpt'));
  await expect(concepts(page).getByRole('listitem')).toHaveCount(3);
  await give(app(page), 'drop', { file: await brought('02-two-words.safetensors') });
  await expect(concepts(page).getByRole('listitem')).toHaveCount(5);
  await give(app(page), 'drop', { file: await brought('11-bidi-name.safetensors') });
  await expect(concepts(page).getByRole('button', { name: /^gnp\.exe/ })).toBeVisible();
  await expect(pictures(page)).toHaveCount(0);
});

test('a picture that carries a concept is asked about', async ({ page }) => {
  await openStudio(page);
  await give(app(page), 'drop', { file: await brought('17-embedding-in-picture.png') });
  await expect(page.getByText('carries a concept')).toBeVisible();
  await expect(pictures(page)).toHaveCount(0);
  await page.getByRole('button', { name: 'Import the concept' }).click();
  await expect(concepts(page)).toContainText('pictured');
});

test('a picture dragged from another page is fetched, or the way around is said', async ({ page }) => {
  await page.goto('/');
  const { buffer } = await drawPicture(page, 'linked.png');
  const headers = { 'access-control-allow-origin': '*' };
  await page.route('https://open.example/**', (route) =>
    route.fulfill({ body: buffer, headers, contentType: 'image/png' }),
  );
  await page.route('https://closed.example/**', (route) => route.abort());
  const html = (host: string) => ({
    'text/uri-list': `https://${host}/page`,
    'text/html': `<a href="https://${host}/page"><img src="https://${host}/linked.png"></a>`,
  });
  await give(app(page), 'drop', { texts: html('open.example') });
  await expect(page.getByAltText('linked.png', { exact: true })).toBeVisible();
  await give(app(page), 'drop', { texts: html('closed.example') });
  await expect(page.getByText(/Save the picture first, then drop the file here/)).toBeVisible();
  await expect(pictures(page)).toHaveCount(1);
});
