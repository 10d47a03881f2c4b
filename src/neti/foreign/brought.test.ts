/** Files that people bring, by their contents: what is imported, and by which name the rest is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { storedZip } from '../../lib/torchWriter.ts';
import { base, CREATED, fixture, tensor } from '../testing/foreignFixtures.ts';
import { readConcept, type Concept } from '../conceptFile.ts';
import { importConcepts } from './importConcept.ts';

const open = base(16, 128);

const brought = (name: string) => ({
  name,
  bytes: new Uint8Array(readFileSync(new URL(`fixtures/brought/${name}`, import.meta.url))),
});

async function conceptsIn(name: string, bytes = brought(name).bytes): Promise<Concept[]> {
  const files = await importConcepts([{ name, bytes }], open, CREATED);
  return Promise.all(files.map((file) => readConcept(file, open)));
}

describe('files that people bring', () => {
  it.each([
    ['06-safetensors-inside.pt', ['06-safetensors-inside'], 2, 0],
    ['10-numpy-scalar-step.pt', ['numpy step'], 1, 1200],
    ['10-torch-size.pt', ['size'], 1, 1200],
    ['13-embedding.ckpt', ['teapot'], 1, 1200],
    ['17-embedding-in-picture.png', ['pictured'], 1, 1200],
    ['02-two-words.safetensors', ['one', 'two'], 1, 0],
    ['11-bidi-name.safetensors', ['gnp.exe'], 1, 0],
  ])('%s is imported', async (file, names, vectors, step) => {
    const concepts = await conceptsIn(file);
    expect(concepts.map(({ info }) => info.name)).toEqual(names);
    for (const { info } of concepts) expect([info.word.vectors, info.step]).toEqual([vectors, step]);
  });

  it('numbers in a picture are those of the words', async () => {
    const [concept] = await conceptsIn('17-embedding-in-picture.png');
    const values = concept!.state.get('vectors')!;
    expect([...values.subarray(0, 2)]).toEqual([-0.1497507095336914, 0.31071680784225464]);
  });

  it.each([
    'numpy-rows-2.pt',
    'numpy-columns-2.pt',
    'numpy-rows-5.pt',
    'numpy-columns-5.pt',
    'numpy-rest.pt',
  ])('reads what NumPy and torch put beside tensors: %s', async (name) => {
    const [concept] = await conceptsIn(name, fixture(name).bytes);
    const golden = tensor('numpy.safetensors', 'vectors');
    const found = concept!.state.get('vectors')!;
    expect(found).toEqual(golden.map((_, i) => golden[(i % 2) * 128 + Math.floor(i / 2)]!));
    expect(concept!.info.step).toBe(name === 'numpy-rest.pt' ? 250 : 7);
  });

  it.each([
    [
      '04-lfs-pointer.bin',
      'concept.kind',
      /a Git LFS pointer, not the file itself: download it with Git LFS/,
    ],
    ['05-login-page.pt', 'concept.kind', /It is a web page/],
    ['07-sdxl-clip-g-only.safetensors', 'inversion.unsupported', /for Stable Diffusion XL/],
    ['14-lora.safetensors', 'inversion.unsupported', /is a LoRA/],
  ])('%s is refused by its name', async (name, code, message) => {
    await expect(conceptsIn(name)).rejects.toMatchObject({ code });
    await expect(conceptsIn(name)).rejects.toThrow(message);
  });

  const text = (content: string) => new TextEncoder().encode(content);
  it.each([
    ['nothing.pt', text(''), /It is empty/],
    ['readme.pt', text('Use it with care.'), /It is a text/],
    ['photo.bin', Uint8Array.of(0xff, 0xd8, 0xff, 0xe0), /JPEG picture.*drop it on the pictures/],
    ['plain.png', Uint8Array.of(0x89, ...text('PNG\r\n\x1a\n')), /a picture without a concept in it/],
    ['noise.pt', Uint8Array.of(1, 2, 3, 250), /of a kind that this studio does not know/],
    ['folder.pt', storedZip(new Map([['readme.txt', text('x')]])), /no data\.pkl/],
    [
      'system.pt',
      Uint8Array.of(0x80, 2, ...text('cos\nsystem\n')),
      /"os\.system", which is neither a tensor/,
    ],
  ])('%s is refused by what it is', async (name, bytes, message) => {
    await expect(conceptsIn(name, new Uint8Array(bytes))).rejects.toThrow(message);
  });
});
