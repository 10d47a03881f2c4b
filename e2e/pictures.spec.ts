/** How pictures get in: turned by their camera, in ink colours, dropped, pasted; and what cropping does to them. */
import { expect, test, type Locator, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { drawPicture, pictures, type UploadFile } from './steps.ts';

/** A JPEG whose left half is red and right half blue. */
async function halves(page: Page, width: number, height: number): Promise<Buffer> {
  const bytes = await page.evaluate(
    async ([width, height]) => {
      const context = new OffscreenCanvas(width, height).getContext('2d')!;
      context.fillStyle = '#f00';
      context.fillRect(0, 0, width / 2, height);
      context.fillStyle = '#00f';
      context.fillRect(width / 2, 0, width / 2, height);
      const blob = await context.canvas.convertToBlob({ type: 'image/jpeg', quality: 1 });
      return [...new Uint8Array(await blob.arrayBuffer())];
    },
    [width, height] as const,
  );
  return Buffer.from(bytes);
}

/** The JPEG with an EXIF block of one entry, the orientation, after its first marker. */
function turned(jpeg: Buffer, orientation: number): Buffer {
  const tiff = [
    0x4d,
    0x4d,
    0,
    42,
    0,
    0,
    0,
    8,
    0,
    1,
    1,
    0x12,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
  ];
  const exif = [...Buffer.from('Exif\0\0', 'latin1'), ...tiff];
  const marker = [0xff, 0xe1, 0, exif.length + 2];
  return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([...marker, ...exif]), jpeg.subarray(2)]);
}

/** The colour at a place of a shown picture, in fractions of its width and height. */
const colourAt = (picture: Locator, x: number, y: number) =>
  picture.evaluate(
    async (image: HTMLImageElement, [x, y]) => {
      await image.decode();
      const { naturalWidth: width, naturalHeight: height } = image;
      const context = new OffscreenCanvas(width, height).getContext('2d')!;
      context.drawImage(image, 0, 0);
      const [red, green, blue] = context.getImageData(x * width, y * height, 1, 1).data;
      return { red: red!, green: green!, blue: blue! };
    },
    [x, y] as const,
  );

/** Which of the three channels is by far the strongest. */
async function hueAt(picture: Locator, x: number, y: number): Promise<string> {
  const [strongest, next] = Object.entries(await colourAt(picture, x, y)).sort(([, a], [, b]) => b - a);
  return strongest![1] - next![1] > 80 ? strongest![0] : 'grey';
}

const choose = (page: Page, file: UploadFile) => page.getByLabel('Concept images').setInputFiles([file]);

test('a photo that its camera turned stands upright', async ({ page }) => {
  await page.goto('/');
  const buffer = turned(await halves(page, 60, 40), 6);
  await choose(page, { name: 'turned.jpg', mimeType: 'image/jpeg', buffer });
  const picture = pictures(page).first();
  expect(await hueAt(picture, 0.5, 0.1)).toBe('red');
  expect(await hueAt(picture, 0.5, 0.9)).toBe('blue');
});

test('a JPEG in ink colours (CMYK) is taken in its own colours', async ({ page }) => {
  await page.goto('/');
  const buffer = await readFile('e2e/fixtures/cmyk.jpg');
  await choose(page, { name: 'cmyk.jpg', mimeType: 'image/jpeg', buffer });
  expect(await hueAt(pictures(page).first(), 0.5, 0.5)).toBe('red');
});

/** Sends files to the page as the browser does when a person drops or pastes them. */
async function give(page: Page, how: 'drop' | 'paste', file: UploadFile): Promise<void> {
  await page.evaluate(
    ({ how, name, mimeType, bytes }) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name, { type: mimeType }));
      const target = document.querySelector('.app')!;
      const about = { bubbles: true, cancelable: true };
      if (how === 'paste')
        target.dispatchEvent(new ClipboardEvent('paste', { ...about, clipboardData: data }));
      else
        for (const type of ['dragenter', 'dragover', 'drop'])
          target.dispatchEvent(new DragEvent(type, { ...about, dataTransfer: data }));
    },
    { how, name: file.name, mimeType: file.mimeType, bytes: [...file.buffer] },
  );
}

for (const how of ['drop', 'paste'] as const)
  test(`pictures are taken by ${how}, anywhere on the page`, async ({ page }) => {
    await page.goto('/');
    for (const name of ['first', 'second']) await give(page, how, await drawPicture(page, `${name}.png`));
    await expect(page.getByAltText('second.png', { exact: true })).toBeVisible();
    // Pictures are added in turn, so by now a first one taken twice would show.
    await expect(page.getByAltText('first.png', { exact: true })).toHaveCount(1);
  });

test('a crop shows the chosen part, and is there again after a reload', async ({ page }) => {
  await page.goto('/');
  const buffer = await halves(page, 120, 60);
  await choose(page, { name: 'wide.jpg', mimeType: 'image/jpeg', buffer });
  const picture = pictures(page).first();
  expect(await hueAt(picture, 0.9, 0.5)).toBe('blue');
  await page.getByRole('button', { name: 'Crop wide.jpg' }).click();
  const area = page.getByRole('dialog').getByTestId('container');
  const box = (await area.boundingBox())!;
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 1.5, box.y + box.height / 2, { steps: 8 });
  await page.mouse.up();
  const before = await picture.getAttribute('src');
  await page.getByRole('button', { name: 'Use this square' }).click();
  await expect(picture).not.toHaveAttribute('src', before!);
  expect(await hueAt(picture, 0.9, 0.5)).toBe('red');
  await page.waitForTimeout(1000); // The draft is saved a moment after it changed.
  await page.reload();
  expect(await hueAt(pictures(page).first(), 0.9, 0.5)).toBe('red');
});
