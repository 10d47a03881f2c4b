/** What a base says of itself: words, defaults, a judge. */
import { describe, expect, it } from 'vitest';
import { hashBase } from '../lib/manifest.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { architectureOf, readWords } from './baseModel.ts';

const nothing = (path: string) => Promise.reject(missingFile('test', path));

describe('the words of a base', () => {
  it('are the official templates and an open vocabulary where it brings none', async () => {
    const { words, templates, suggestions } = await readWords(nothing);
    expect(words).toBeNull();
    expect([templates.object.length, templates.style.length]).toEqual([27, 19]);
    const prompts = [...templates.object, ...templates.style, ...suggestions];
    expect(prompts.filter((prompt) => prompt.split('{}').length !== 2)).toEqual([]);
  });

  it('are its own where it has them', async () => {
    const own = { words: ['a'], categories: [], suggestions: [], templates: { object: ['{}'], style: [] } };
    expect(await readWords(() => Promise.resolve(new Blob([JSON.stringify(own)])))).toEqual(own);
  });
});

describe('architectureOf', () => {
  const base = { id: 'mine', keptId: 'ab' };
  it.each([
    [768, 512, 'stable-diffusion-v1'],
    [1024, 512, 'stable-diffusion-v2-512'],
    [1024, 768, 'stable-diffusion-v2-768-v'],
    [16, 64, 'mine'],
  ])('contexts of %i, pictures of %i: %s', (contextWidth, resolution, name) => {
    expect(architectureOf(base, { contextWidth, resolution })).toBe(name);
  });

  it('is the shipped base’s own name', () => {
    const shipped = { ...base, keptId: null };
    expect(architectureOf(shipped, { contextWidth: 768, resolution: 512 })).toBe('mine');
  });
});

describe('hashBase', () => {
  const file = (path: string, sha256: string) => ({ path, bytes: 1, sha256: sha256.repeat(64) });
  const unet = file('unet/model.onnx', 'a');

  it('does not depend on the order, the configurations or the samples', async () => {
    const vocabulary = file('tokenizer/vocab.json', 'b');
    const more = [file('unet/config.json', 'c'), file('concepts/x/1.png', 'd')];
    expect(await hashBase([unet, vocabulary])).toBe(await hashBase([...more, vocabulary, unet]));
  });

  it('depends on the weights beside the graph', async () => {
    const weights = (sha256: string) => hashBase([unet, file('unet/model.onnx_data', sha256)]);
    expect(await weights('b')).not.toBe(await weights('c'));
  });
});
