/** The concept’s pictures: adding, cropping, removing, and how the model sees them. */
import { describe, expect, it } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { makeStudio, pixels, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

const files = (count: number) => Array.from({ length: count }, (_, index) => new File(['x'], `${index}.png`));

describe('pictures', () => {
  it('keeps the good ones and names the bad ones', async () => {
    const { store } = await startStudio({
      images: {
        decode: ({ name }) =>
          name === '1.png'
            ? Promise.reject(new AppError('picture.damaged', `“${name}” is damaged.`))
            : Promise.resolve({
                source: new Blob(),
                width: 2,
                height: 2,
                transparent: false,
                animated: name === '2.png',
              }),
        card: () => Promise.resolve(pixels(1)),
        square: () => Promise.resolve(pixels(1)),
      },
    });
    await store.getState().addPictures(files(3));
    const { pictures, problems } = store.getState();
    expect(pictures.map(({ fileName }) => fileName)).toEqual(['0.png', '2.png']);
    expect(problems.pictures.map(({ code }) => code)).toEqual(['picture.damaged', 'picture.animated']);
  });

  it('takes twenty of two hundred and says so', async () => {
    const { store } = await startStudio();
    await store.getState().addPictures(files(200));
    expect(store.getState().pictures).toHaveLength(20);
    expect(store.getState().problems.pictures[0]?.message).toContain('200 pictures were chosen');
    await store.getState().addPictures(files(1));
    expect(store.getState().pictures).toHaveLength(20);
    expect(store.getState().problems.pictures[0]?.message).toContain('none was added');
  });

  it('adds every picture of two drops at once', async () => {
    const { store } = await startStudio();
    await Promise.all([store.getState().addPictures(files(15)), store.getState().addPictures(files(15))]);
    expect(store.getState().pictures).toHaveLength(20);
  });

  it('stores pictures and form from the moment they are given, before they are read', async () => {
    let read: () => void = () => undefined;
    const decoded = { source: new Blob(['x']), width: 2, height: 2, transparent: false, animated: false };
    const { store, storage } = await startStudio({
      images: {
        decode: () => new Promise((resolve) => (read = () => resolve(decoded))),
        square: () => Promise.resolve(pixels(1)),
        card: () => Promise.resolve(pixels(1)),
      },
    });
    const adding = store.getState().addPictures(files(1));
    store.getState().edit({ name: 'half a na' });
    store.getState().edit({ name: 'half a name' });
    await Promise.resolve();
    expect((await storage.draftPictures.load())?.waiting.map(({ name }) => name)).toEqual(['0.png']);
    expect((await storage.draftForm.load())?.name).toBe('half a name');
    await expect.poll(() => store.getState().waiting.length).toBe(1);
    read();
    await adding;
    await expect
      .poll(() => storage.draftPictures.load())
      .toMatchObject({ waiting: [], pictures: [{ fileName: '0.png' }] });
  });

  it('keeps what is given while the last draft is still being loaded', async () => {
    const { store, storage } = makeStudio();
    const kept = { source: new Blob(['kept']), width: 2, height: 2, transparent: false, crop: null };
    const pictures = [{ ...kept, id: 'kept', fileName: 'kept.png' }];
    await storage.draftPictures.save({ version: 1, ground: '#000000', pictures, waiting: files(1) });
    const given = new File(['x'], 'given.png');
    await Promise.all([store.getState().addPictures([given]), store.getState().start()]);
    const names = () =>
      store
        .getState()
        .pictures.map(({ fileName }) => fileName)
        .sort();
    await expect.poll(names).toEqual(['0.png', 'given.png', 'kept.png']);
  });

  it('shows how the model sees each, again after a crop', async () => {
    let calls = 0;
    const client = scriptedClient({
      reconstruct: (picture) => Promise.resolve({ picture, psnr: 10 + calls++ }),
    });
    const { store } = await startStudio({ client });
    await store.getState().addPictures(files(1));
    await store.getState().lookAtPictures();
    await new Promise((resolve) => setTimeout(resolve));
    expect(store.getState().pictures[0]?.seen?.psnr).toBe(10);
    await store.getState().cropPicture(store.getState().pictures[0]!.id, { x: 0, y: 0, width: 1, height: 1 });
    expect(store.getState().pictures[0]?.seen?.psnr).toBe(11);
    expect(store.getState().pictures[0]?.crop).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  it('brings a removed picture back to its place', async () => {
    const { store } = await startStudio();
    await store.getState().addPictures(files(3));
    store.getState().removePicture(store.getState().pictures[1]!.id);
    expect(store.getState().pictures).toHaveLength(2);
    await store.getState().undo();
    expect(store.getState().pictures.map(({ fileName }) => fileName)).toEqual(['0.png', '1.png', '2.png']);
  });

  it('fills the form from a sample', async () => {
    const { store } = await startStudio();
    const sample = {
      name: 'hat',
      category: 'object',
      kind: 'object',
      credit: '',
      pictures: ['a.png', 'b.png'],
      taught: null,
    } as const;
    await store.getState().addSample(sample);
    expect(store.getState().pictures).toHaveLength(2);
    expect(store.getState().form).toMatchObject({ name: 'hat', category: 'object' });
  });
});
