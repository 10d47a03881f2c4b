/** How pictures get in: turned by their camera, in ink colours, dropped, pasted; and what cropping does to them. */
import { expect, type Locator, type Page } from '@playwright/test';
import { decode, encode } from 'fast-png';
import { readFile } from 'node:fs/promises';
import { drawPicture, pictures, testPage, type UploadFile } from './steps.ts';
import { test } from './visited.ts';

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

/** A PNG of one colour, kept in Display P3 as phones' cameras do, and the sRGB bytes that the colour is. */
async function wideColour(page: Page): Promise<{ buffer: Buffer; expected: readonly number[] }> {
  const { bytes, expected } = await page.evaluate(async () => {
    const filled = (colorSpace: PredefinedColorSpace) => {
      const context = new OffscreenCanvas(40, 40).getContext('2d', { colorSpace })!;
      context.fillStyle = 'color(display-p3 0.7 0.35 0.3)';
      context.fillRect(0, 0, 40, 40);
      return context;
    };
    const blob = await filled('display-p3').canvas.convertToBlob({ type: 'image/png' });
    const pixel = filled('srgb').getImageData(0, 0, 1, 1).data;
    return { bytes: [...new Uint8Array(await blob.arrayBuffer())], expected: [...pixel].slice(0, 3) };
  });
  return { buffer: Buffer.from(bytes), expected };
}

test('ink colours (CMYK), wide ones (Display P3) and 16 bits a channel are taken in their own colours', async ({
  page,
}) => {
  await page.goto('/');
  const cmyk = await readFile('e2e/fixtures/cmyk.jpg');
  const { buffer: wide, expected } = await wideColour(page);
  const data = new Uint16Array(32 * 32 * 3).map((_, i) => [0xc000, 0x4080, 0x20ff][i % 3]!);
  const deep = Buffer.from(encode({ width: 32, height: 32, data, channels: 3, depth: 16 }));
  await page.getByLabel('Concept images').setInputFiles([
    { name: 'cmyk.jpg', mimeType: 'image/jpeg', buffer: cmyk },
    { name: 'wide.png', mimeType: 'image/png', buffer: wide },
    { name: 'deep.png', mimeType: 'image/png', buffer: deep },
  ]);
  await expect(pictures(page)).toHaveCount(3);
  expect(await hueAt(pictures(page).first(), 0.5, 0.5)).toBe('red');
  // Bytes of Display P3 taken for sRGB would have 179 of red.
  expect(expected[0]).toBeGreaterThan(185);
  for (const [index, colours] of [expected, [0xc0, 0x40, 0x21]].entries()) {
    const { red, green, blue } = await colourAt(pictures(page).nth(index + 1), 0.5, 0.5);
    [red, green, blue].forEach((value, i) => expect(Math.abs(value - colours[i]!)).toBeLessThanOrEqual(1));
  }
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

const brought = async (name: string): Promise<UploadFile> => ({
  name,
  mimeType: '',
  buffer: await readFile(`src/pictures/fixtures/${name}`),
});

test('a corner cropped from a large photo has the photo’s own pixels', async ({ page }) => {
  await page.goto('/');
  const photo = await brought('photo-4000x3000.png');
  await choose(page, photo);
  const picture = pictures(page).first();
  await expect(picture).toBeVisible();
  const before = await picture.getAttribute('src');
  await page.getByRole('button', { name: `Crop ${photo.name}` }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Zoom').fill('8');
  const box = (await dialog.getByTestId('container').boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  for (let times = 0; times < 12; times++) {
    await page.mouse.move(x - box.width * 0.4, y - box.height * 0.4);
    await page.mouse.down();
    await page.mouse.move(x + box.width * 0.4, y + box.height * 0.4, { steps: 4 });
    await page.mouse.up();
  }
  await page.getByRole('button', { name: 'Use this square' }).click();
  await expect(picture).not.toHaveAttribute('src', before!);
  const bytes = await picture.evaluate(async (image: HTMLImageElement) => {
    return [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())];
  });
  const [crop, whole] = [decode(Uint8Array.from(bytes)), decode(photo.buffer)];
  expect([crop.width, crop.height]).toEqual([375, 375]);
  const wrong = Array.from({ length: 375 * 375 * 3 }, (_, i) => {
    const [channel, at] = [i % 3, Math.floor(i / 3)];
    const place = (Math.floor(at / 375) * whole.width + (at % 375)) * whole.channels + channel;
    return crop.data[at * crop.channels + channel] !== whole.data[place];
  });
  expect(wrong.filter(Boolean)).toHaveLength(0);
});

test('pictures of every kind are opened by what they are, or refused by their right name', async ({
  page,
}) => {
  await page.goto('/');
  const problems = page.getByRole('region', { name: 'Pictures' }).locator('.problem');
  for (const name of [
    'avif-no-ending',
    'rgb16.tif',
    'turned.tif',
    'turned.png',
    'turned.webp',
    'moves.png',
  ]) {
    await choose(page, await brought(name));
    await expect(page.getByAltText(name, { exact: true })).toBeVisible();
  }
  await expect(problems).toHaveText('“moves.png” moves; its first frame was taken.');
  for (const name of ['rgb16.tif', 'turned.tif', 'turned.png', 'turned.webp'])
    expect(await hueAt(page.getByAltText(name, { exact: true }), 0.5, 0.1)).toBe('red');
  await choose(page, await brought('IMG_0001.HEIC'));
  await expect(problems).toContainText(
    'is a HEIC photo (HEIF), which this browser does not open. Save it as',
  );
  await choose(page, await brought('cut-half-baseline.jpg'));
  await expect(problems).toContainText('is cut short');
  await expect(pictures(page)).toHaveCount(6);
});

test('500 damaged pictures are opened or refused in the page’s own words', async ({ page }) => {
  await page.goto(testPage('damagedPictures'));
  const report = await page.evaluate(() => window.takeDamagedPictures(500, 1));
  expect(report.raw).toEqual([]);
  expect(report.read).toBeGreaterThan(50);
  expect(report.refused).toBeGreaterThan(50);
  expect(report.slowest).toBeLessThan(2000);
});
