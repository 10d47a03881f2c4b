/** Kept models on a disk in memory: complete, cut short, full. */
import { beforeEach, describe, expect, it } from 'vitest';
import { memoryTree, type MemoryTree } from './testing/memoryTree.ts';
import type { Journal } from './modelRecords.ts';
import { ModelStore } from './modelStore.ts';

const ID = '0123456789abcdef';
const sha256 = 'a'.repeat(64);
const bytes = (text: string) => new TextEncoder().encode(text);
const code = (expected: string) => expect.objectContaining({ code: expected }) as unknown;

const file = { path: 'unet/model.onnx', bytes: 4, sha256, gitBlob: null, url: null, state: null, done: null };
const start: Journal = {
  version: 1,
  id: ID,
  title: 'Tiny',
  source: { kind: 'folder', name: 'tiny' },
  licence: null,
  created: '2026-01-01T00:00:00.000Z',
  files: [file],
};

let tree: MemoryTree;
let store: ModelStore;

beforeEach(() => {
  tree = memoryTree();
  store = new ModelStore(tree);
});

const take = (content = 'data') =>
  store.take(start, async (writer) => {
    const handle = await writer.open(file.path);
    handle.write(bytes(content), 0);
    handle.close();
    await writer.noteDone(file.path, sha256);
  });

describe('model store', () => {
  it('lists a model once it is complete', async () => {
    await take();
    expect(await store.list()).toMatchObject([
      { id: ID, bytes: 4, files: [{ path: file.path, bytes: 4, sha256 }] },
    ]);
    expect(await (await store.openFile(ID, file.path)).text()).toBe('data');
    expect([...tree.files.keys()].toSorted()).toEqual([`${ID}/files/${file.path}`, `${ID}/model.json`]);
  });

  it('lists nothing whose files are not done, short, or gone', async () => {
    const unverified = store.take(start, async (writer) => {
      const handle = await writer.open(file.path);
      handle.write(bytes('data'), 0);
      handle.close();
    });
    await expect(unverified).rejects.toEqual(code('model.incomplete'));
    expect(await store.list()).toEqual([]);
    expect(await store.incomplete()).toMatchObject([{ id: ID, bytes: 4, received: 4 }]);
    await expect(take('data and more')).rejects.toEqual(code('model.incomplete'));
    expect(await store.list()).toEqual([]);
  });

  it('does not list what is not of the form that it writes', async () => {
    await take();
    for (const damage of [
      '',
      '{',
      '{"version":1}',
      (await tree.read(`${ID}/model.json`).then((each) => each!.text())).replace('unet/', '../'),
    ]) {
      tree.files.set(`${ID}/model.json`, bytes(damage));
      expect(await store.list()).toEqual([]);
    }
  });

  it('refuses files that are not of the model, or not as they were written', async () => {
    await take();
    await expect(store.openFile(ID, 'unet/config.json')).rejects.toEqual(code('model.file'));
    await expect(store.openFile(ID, '../model.json')).rejects.toEqual(code('model.file'));
    tree.files.set(`${ID}/files/${file.path}`, bytes('dat'));
    await expect(store.openFile(ID, file.path)).rejects.toEqual(code('model.damaged'));
    await expect(store.openFile('f'.repeat(16), file.path)).rejects.toEqual(code('model.none'));
  });

  it('sweeps away what a removal that was cut short left', async () => {
    tree.files.set('fedcba9876543210/files/unet/model.onnx', bytes('left'));
    await take();
    expect(await tree.list('')).toEqual([ID]);
  });

  it('lets one at a time take a model in', async () => {
    await store.take(start, async (writer) => {
      await expect(take()).rejects.toEqual(code('model.busy'));
      await expect(store.remove(ID)).rejects.toEqual(code('model.busy'));
      const handle = await writer.open(file.path);
      handle.write(bytes('data'), 0);
      handle.close();
      await writer.noteDone(file.path, sha256);
    });
  });
});

describe('prepared graphs', () => {
  const prepared = new Map([
    ['prepared/prepared.json', bytes('{}')],
    ['prepared/unet.onnx', bytes('graph')],
  ]);

  beforeEach(() => take().then(() => undefined));

  it('lie beside the model and count apart', async () => {
    await store.writePrepared(ID, prepared);
    expect(await store.isPrepared(ID)).toBe(true);
    expect(await (await store.openFile(ID, 'prepared/unet.onnx')).text()).toBe('graph');
    expect((await store.usage()).models).toEqual([{ id: ID, bytes: 4, prepared: 7 }]);
    expect(await store.list()).toHaveLength(1);
  });

  it('are not used when the disk was full before they were whole', async () => {
    await store.writePrepared(ID, prepared);
    tree.quota = 0;
    const larger = new Map([...prepared, ['prepared/unet.onnx', new Uint8Array(9000)] as const]);
    await expect(store.writePrepared(ID, larger)).rejects.toEqual(code('storage.full'));
    expect(await store.isPrepared(ID)).toBe(false);
    await expect(store.openFile(ID, 'prepared/unet.onnx')).rejects.toEqual(code('model.file'));
    expect((await store.usage()).models).toEqual([{ id: ID, bytes: 4, prepared: 0 }]);
  });

  it('must have their manifest, and nothing of elsewhere', async () => {
    for (const files of [
      new Map([['prepared/unet.onnx', bytes('')]]),
      new Map([...prepared, ['model.json', bytes('')]]),
    ])
      await expect(store.writePrepared(ID, files)).rejects.toEqual(code('model.prepared'));
  });

  it('go with the model', async () => {
    await store.writePrepared(ID, prepared);
    await store.remove(ID);
    expect([...tree.files.keys()]).toEqual([]);
  });
});
