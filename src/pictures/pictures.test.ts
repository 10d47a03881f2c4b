/** What is told of picture files before they are decoded, and the formats that the studio decodes itself. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPicture } from './check.ts';
import { readImageHeader } from './header.ts';
import { orientationOf, turnOf } from './orientation.ts';
import { readTiff } from './tiff.ts';

const fixture = (name: string) => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
const text = (content: string) => Uint8Array.from(content, (letter) => letter.charCodeAt(0));

describe('checkPicture', () => {
  it.each([
    ['moves.png', 'png', true],
    ['turned.webp', 'webp', false],
    ['whole.jpg', 'jpeg', false],
    ['avif-no-ending', 'avif', false],
    ['IMG_0001.HEIC', 'heic', false],
    ['rgb16.tif', 'tiff', false],
    ['photo-4000x3000.png', 'png', false],
  ])('%s', (name, kind, animated) => {
    expect(checkPicture(fixture(name), 'no.name')).toEqual({ kind, animated });
  });

  it.each([
    ['cut-half-baseline.jpg', 'picture.damaged', /is cut short: the end of a JPEG picture is missing/],
    ['half.png', 'picture.damaged', /cut short/],
    ['half.webp', 'picture.damaged', /cut short/],
    ['nothing.jpg', 'picture.empty', /empty/],
    ['page.jpg', 'picture.format', /is not a picture\. It is a web page/],
    ['pointer.png', 'picture.format', /Git LFS/],
    ['drawing.svg', 'picture.format', /is an SVG drawing, which this browser does not open/],
    ['raw.cr2', 'picture.format', /a raw photo of a camera/],
    ['film.mp4', 'picture.format', /It is a video/],
  ])('%s is refused', (name, code, message) => {
    const made: Readonly<Record<string, () => Uint8Array>> = {
      'half.png': () => fixture('photo-4000x3000.png').subarray(0, 20_000),
      'half.webp': () => fixture('turned.webp').subarray(0, 60),
      'nothing.jpg': () => new Uint8Array(),
      'page.jpg': () => text('\n<!doctype HTML><title>Sign in</title>'),
      'pointer.png': () => text('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      'drawing.svg': () => text('<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'),
      'raw.cr2': () => text('II*\0\x10\0\0\0CR\x02\0'),
      'film.mp4': () => text('\0\0\0\x18ftypisom\0\0\0\0isommp42'),
    };
    const bytes = made[name]?.() ?? fixture(name);
    expect(() => checkPicture(bytes, name)).toThrow(expect.objectContaining({ code }));
    expect(() => checkPicture(bytes, name)).toThrow(message);
  });

  it('knows the size of AVIF and HEIC before they are decoded', () => {
    for (const name of ['avif-no-ending', 'IMG_0001.HEIC']) {
      const header = readImageHeader(fixture(name));
      expect(Math.min(header!.width, header!.height), name).toBeGreaterThan(15);
    }
  });
});

describe('orientationOf', () => {
  it.each([
    ['turned.webp', 'webp', 6],
    ['turned.tif', 'tiff', 6],
    ['turned.png', 'png', 8],
    ['rgb8.tif', 'tiff', 1],
    ['moves.png', 'png', 1],
    ['whole.jpg', 'jpeg', 1],
  ] as const)('%s', (name, kind, orientation) => {
    const found = orientationOf(fixture(name), kind);
    expect(found.orientation).toBe(orientation);
    expect(orientationOf(found.bytes, kind).orientation).toBe(1);
  });

  it('turns corners where they belong', () => {
    // Where the stored top left corner of 6 × 4 pixels comes to lie, by TIFF 6.0.
    const corners = [1, 2, 3, 4, 5, 6, 7, 8].map((orientation) => turnOf(orientation, 6, 4).slice(4));
    expect(corners).toEqual([
      [0, 0],
      [6, 0],
      [6, 4],
      [0, 4],
      [0, 0],
      [4, 0],
      [4, 6],
      [0, 6],
    ]);
  });
});

describe('readTiff', () => {
  const colourAt = (name: string, x: number, y: number) => {
    const { width, data } = readTiff(orientationOf(fixture(name), 'tiff').bytes, name);
    return [...data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4)];
  };

  it.each(['rgb8.tif', 'rgb16.tif', 'palette.tif'])('%s is red above and blue below', (name) => {
    const { width, height } = readTiff(fixture(name), name);
    expect([width, height]).toEqual([6, 4]);
    expect(colourAt(name, 1, 0)).toEqual([255, 0, 0, 255]);
    expect(colourAt(name, 5, 3)).toEqual([0, 0, 255, 255]);
  });

  it('one that its camera turned is read as it is stored', () => {
    const { width, height } = readTiff(orientationOf(fixture('turned.tif'), 'tiff').bytes, 'turned.tif');
    expect([width, height]).toEqual([4, 6]);
    expect(colourAt('turned.tif', 0, 1)).toEqual([255, 0, 0, 255]);
  });

  it('grey is grey', () => {
    expect(colourAt('grey.tif', 0, 0)).toEqual([76, 76, 76, 255]);
  });

  it('refuses ink colours by name, and pages that claim to be huge', () => {
    expect(() => readTiff(fixture('cmyk.tif'), 'cmyk.tif')).toThrow(/a TIFF of a kind that is not read/);
    const huge = fixture('rgb16.tif');
    const view = new DataView(huge.buffer);
    for (const at of [18, 30]) view.setUint16(at, 60_000, true);
    expect(() => readTiff(huge, 'huge.tif')).toThrow(/megapixels/);
  });
});
