/** What is given to the page is told apart by its contents, and goes where it belongs. */
import { readFileSync } from 'node:fs';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { encodePng } from '../pictures/png.ts';
import { TorchWriter } from '../lib/torchWriter.ts';
import { sortFiles } from './incoming.ts';
import { pixels, recordingImports, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

const brought = (name: string): File =>
  new File([readFileSync(new URL(`../neti/foreign/fixtures/brought/${name}`, import.meta.url))], name);
const picture = async (name: string) => new File([await encodePng(pixels(9)).arrayBuffer()], name);
const bytesOf = async (file: File) => new Uint8Array(await file.arrayBuffer());
const text = (content: string) => new TextEncoder().encode(content);
const torch = () => new TorchWriter().write(new Map());

async function sorted(...files: File[]) {
  const { concepts, pictures, cards, errors } = await sortFiles(files);
  const names = (found: readonly File[]) => found.map(({ name }) => name);
  return {
    concepts: names(concepts),
    pictures: names(pictures),
    cards: names(cards),
    errors: errors.map((error) => (error as Error).message),
  };
}
const nothing = { concepts: [], pictures: [], cards: [], errors: [] };

describe('sortFiles', () => {
  it('goes by contents, not by endings', async () => {
    const given = [
      brought('06-safetensors-inside.pt'),
      brought('13-embedding.ckpt'),
      brought('17-embedding-in-picture.png'),
      await picture('picture without ending'),
      new File([await bytesOf(brought('11-bidi-name.safetensors'))], 'x.png'),
    ];
    expect(await sorted(...given)).toEqual({
      concepts: ['06-safetensors-inside.pt', '13-embedding.ckpt', 'x.png'],
      pictures: ['picture without ending'],
      cards: ['17-embedding-in-picture.png'],
      errors: [],
    });
  });

  it('takes for what its name says what its contents do not tell', async () => {
    const given = [
      new File([text('hello')], 'notes.txt'),
      brought('05-login-page.pt'),
      new File([], 'empty.pth'),
    ];
    expect(await sorted(...given)).toEqual({
      ...nothing,
      concepts: ['05-login-page.pt', 'empty.pth'],
      pictures: ['notes.txt'],
    });
  });

  it('opens the zips of model sites, of pictures and of the official code', async () => {
    expect(await sorted(brought('18-download.zip'))).toEqual({ ...nothing, concepts: ['my-teapot.pt'] });
    const png = await bytesOf(await picture('x.png'));
    const photos = zipSync({
      'fox/1.png': png,
      'fox/2.png': png,
      '__MACOSX/fox/._1.png': png,
      'a.txt': text('x'),
    });
    expect(await sorted(new File([photos], 'fox.zip'))).toEqual({ ...nothing, pictures: ['1.png', '2.png'] });
    const official = zipSync({
      'mapper-final.pt': torch(),
      'learned_embeds-final.bin': torch(),
      'preview.png': png,
    });
    expect(await sorted(new File([official], 'official.zip'))).toEqual({
      ...nothing,
      concepts: ['mapper-final.pt', 'learned_embeds-final.bin'],
    });
  });

  it('says of a zip what is wrong with it', async () => {
    const empty = new File([zipSync({ 'a.txt': text('x') })], 'a.zip');
    const cut = new File([zipSync({ 'a.pt': torch() }).subarray(0, 60)], 'cut.zip');
    const bomb = zipSync({ 'a.pt': new Uint8Array(2 ** 20) });
    const at = bomb.findLastIndex((_, i) => String.fromCharCode(...bomb.subarray(i, i + 4)) === 'PK\x01\x02');
    new DataView(bomb.buffer).setUint32(at + 24, 0x7fffffff, true);
    const { errors } = await sorted(empty, cut, new File([bomb], 'bomb.zip'));
    expect(errors).toEqual([
      '“a.zip” is a zip without a concept or a picture in it.',
      expect.stringContaining('“cut.zip” is a zip that is damaged'),
      expect.stringContaining('“bomb.zip” holds more than'),
    ]);
  });
});

describe('what is given to the page', () => {
  it('an official zip is one concept', async () => {
    const { groups, importConcepts } = recordingImports();
    const { store } = await startStudio({ client: scriptedClient({ importConcepts }) });
    const zip = zipSync({ 'learned_embeds-final.bin': torch(), 'mapper-final.pt': torch() });
    await store.getState().takeFiles([new File([zip], 'fox.official-neti.zip')]);
    expect(groups).toEqual([['mapper-final.pt', 'learned_embeds-final.bin']]);
    expect(store.getState().concepts).toHaveLength(1);
  });

  it('a file of two words is two concepts', async () => {
    const client = scriptedClient({
      importConcepts: ([first]) => Promise.resolve([first!.bytes, first!.bytes]),
    });
    const { store } = await startStudio({ client });
    await store.getState().takeFiles([brought('02-two-words.safetensors')]);
    expect(store.getState().concepts).toHaveLength(2);
  });

  it('a picture with a concept in it waits to be told what it is for', async () => {
    const { store } = await startStudio();
    const card = brought('17-embedding-in-picture.png');
    await store.getState().takeFiles([card]);
    expect([store.getState().pictures, store.getState().concepts]).toEqual([[], []]);
    expect(store.getState().offeredCards).toEqual([card]);
    await store.getState().answerCard(card, 'concept');
    expect(store.getState().concepts).toHaveLength(1);
    await store.getState().takeFiles([card]);
    await store.getState().answerCard(card, 'picture');
    expect(store.getState().pictures.map(({ fileName }) => fileName)).toEqual([card.name]);
    expect(store.getState().offeredCards).toEqual([]);
  });

  it('a picture of another page is fetched if its host allows it, else the way around is said', async () => {
    const asked: string[] = [];
    const fetchLink = async (address: string) => {
      asked.push(address);
      return picture('linked.png');
    };
    const { store } = await startStudio({ fetchLink });
    await store.getState().takeLink('https://example.org/linked.png');
    expect(asked).toEqual(['https://example.org/linked.png']);
    expect(store.getState().pictures).toHaveLength(1);
    const refusing = await startStudio();
    await refusing.store.getState().takeLink('https://example.org/linked.png');
    expect(refusing.store.getState().problems.pictures[0]?.message).toMatch(
      /Save the picture first, then drop/,
    );
  });

  it('names lose what hides or turns text', async () => {
    const { store } = await startStudio();
    await store.getState().takeFiles([await picture('a\u202egnp.exe\u0007.png')]);
    expect(store.getState().pictures[0]?.fileName).toBe('agnp.exe.png');
    await store.getState().takeFiles([new File([], 'b\u202egnp.pt')]);
    expect(store.getState().problems.library[0]?.message).toContain(
      '“bgnp.pt” was not imported. It is empty',
    );
  });
});
