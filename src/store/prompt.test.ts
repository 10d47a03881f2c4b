/** Prompts, PNG files, image headers and plain words. */
import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { readImageHeader } from '../pictures/header.ts';
import { encodePng } from '../pictures/png.ts';
import { describeLength, splitPrompt, unknownWords } from './prompt.ts';
import { pixels } from './testing/scriptedStudio.ts';
import { fileSize } from '../lib/numbers.ts';
import { conceptFileName, duration } from './words.ts';

describe('splitPrompt', () => {
  it.each(['A photo of {} on a beach', '{}{', 'naïve {}-like, don’t {x}', ''])(
    'loses nothing of “%s”',
    (prompt) => {
      expect(
        splitPrompt(prompt, [])
          .map(({ text }) => text)
          .join(''),
      ).toBe(prompt);
    },
  );

  it('marks the concept and unknown words', () => {
    const kinds = splitPrompt('A {} Snorkels', ['snorkels']).filter(({ kind }) => kind !== 'text');
    expect(kinds).toEqual([
      { kind: 'concept', text: '{}' },
      { kind: 'unknown', text: 'Snorkels' },
    ]);
  });
});

describe('unknownWords', () => {
  it('ignores case and knows compounds by their parts', () => {
    expect(
      unknownWords('A close-up Photo of {} snorkel snorkel', new Set(['a', 'close', 'up', 'photo', 'of'])),
    ).toEqual(['snorkel']);
  });
});

describe('encodePng', () => {
  it('writes Latin-1 parameters as tEXt', async () => {
    const png = new Uint8Array(await encodePng(pixels(7), 'café').arrayBuffer());
    const { text, data } = decode(png, { checkCrc: true });
    expect(text['parameters']).toBe('café');
    expect([...data]).toEqual(new Array(16).fill(7));
  });

  it('writes other parameters as iTXt in UTF-8, and stays a valid PNG', async () => {
    const png = new Uint8Array(await encodePng(pixels(7), '写真 {}').arrayBuffer());
    expect(decode(png, { checkCrc: true }).width).toBe(2);
    expect(new TextDecoder().decode(png)).toContain('iTXtparameters\0\0\0\0\0写真 {}');
  });
});

describe('readImageHeader', () => {
  it('reads the size of a PNG', async () => {
    const png = new Uint8Array(await encodePng(pixels(7)).arrayBuffer());
    expect(readImageHeader(png)).toEqual({ format: 'png', width: 2, height: 2, animated: false });
  });

  it('reads the size of a JPEG behind other segments', () => {
    const jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xc2, 0, 17, 8, 1, 0, 2, 0, 3, 0, 0];
    expect(readImageHeader(new Uint8Array(jpeg))).toMatchObject({ format: 'jpeg', width: 512, height: 256 });
  });

  it('tells a moving GIF from a still one', () => {
    const head = [...new TextEncoder().encode('GIF89a'), 2, 0, 3, 0, 0, 0, 0];
    const frame = [0x2c, 0, 0, 0, 0, 2, 0, 3, 0, 0, 2, 1, 0, 0];
    expect(readImageHeader(new Uint8Array([...head, ...frame, 0x3b]))).toMatchObject({
      width: 2,
      animated: false,
    });
    expect(readImageHeader(new Uint8Array([...head, ...frame, ...frame, 0x3b]))).toMatchObject({
      animated: true,
    });
  });

  it('tells a moving WebP', () => {
    const webp = new Uint8Array(30);
    webp.set(new TextEncoder().encode('RIFF....WEBPVP8X'));
    webp.set([2, 0, 0, 0, 99, 0, 0, 49, 0, 0], 20);
    expect(readImageHeader(webp)).toEqual({ format: 'webp', width: 100, height: 50, animated: true });
  });

  it.each([[[]], [[0xff, 0xd8, 0xff]], [[1, 2, 3, 4, 5]]])('knows nothing of %j', (bytes) => {
    expect(readImageHeader(new Uint8Array(bytes))).toBeNull();
  });
});

describe('words', () => {
  it('says durations and sizes plainly', () => {
    expect([duration(0.2), duration(61), duration(150), duration(7200)]).toEqual([
      '1 s',
      '61 s',
      '3 min',
      '2.0 h',
    ]);
    expect([fileSize(1200), fileSize(35.2e6), fileSize(2e9)]).toEqual(['2 kB', '35.2 MB', '2.0 GB']);
  });

  it('makes file names that every system accepts', () => {
    expect(conceptFileName('a/b: "c"')).toBe('a-b- -c-.safetensors');
    expect(conceptFileName('...')).toBe('concept.safetensors');
    expect(conceptFileName('Käfer 甲虫')).toBe('Käfer 甲虫.safetensors');
  });
});

describe('the length of a prompt', () => {
  it.each([
    [8, 5, null],
    [9, 5, 'The prompt has 9 tokens, 5 of them for concepts; the model reads 8. Shorten it by some words.'],
    [9, 1, 'The prompt has 9 tokens; the model reads 8. Shorten it by some words.'],
    [9, 0, 'The prompt has 9 tokens; the model reads 8. Shorten it by some words.'],
  ])('%i tokens, %i at the mark', (tokens, conceptTokens, said) => {
    expect(describeLength({ tokens, conceptTokens, maxTokens: 8 })).toBe(said);
  });
});
