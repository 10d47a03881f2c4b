/** Fetching a model from a server that cuts, stalls, corrupts and refuses: nothing half-written is ever used. */
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawableCheckpoint } from '../checkpoint/testing/narrowCheckpoints.ts';
import { layout } from '../lib/modelLayout.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { memoryTree, type MemoryTree } from '../storage/testing/memoryTree.ts';
import { ModelStore } from '../storage/modelStore.ts';
import { planFromUrl } from './baseUrl.ts';
import { MERGES } from './clipVocabulary.ts';
import { fetchModel, type FetchOptions } from './fetchModel.ts';
import { planFromFolder } from './folder.ts';
import { planFromHub } from './hub.ts';
import { planToResume, type ModelPlan } from './plan.ts';
import type { IntakeProgress } from './progress.ts';
import { noise, tinyModel } from './testing/model.ts';
import { HUB_REPO, startTestServer, type Fault, type TestServer } from './testing/server.ts';

const WEIGHTS = 'unet/model.onnx_data';
// Silence on a busy machine must not look like a dead connection.
const RETRY = { tries: 3, backoffMs: 1, stallMs: 1000 };

let server: TestServer;
let tree: MemoryTree;
let store: ModelStore;

beforeEach(async () => {
  server = await startTestServer(tinyModel());
  tree = memoryTree();
  store = new ModelStore(tree);
});

afterEach(() => server.close());

const planHub = () => planFromHub(HUB_REPO, 'main', { host: new URL(server.url).origin, retry: RETRY });
const planUrl = () => planFromUrl(server.url, { retry: RETRY });
const get = (plan: ModelPlan, options: FetchOptions = {}) =>
  fetchModel(plan, store, { retry: RETRY, ...options });
/** First bytes that were asked of the weights, in order. */
const starts = () => server.requests.filter(({ path }) => path === WEIGHTS).map(({ from }) => from);
const code = (expected: string) => expect.objectContaining({ code: expected }) as unknown;

/** The model is listed, and every file of it is what the server has. */
async function expectWhole(plan: ModelPlan): Promise<void> {
  const [model] = await store.list();
  expect(model?.id).toBe(plan.id);
  for (const { path, sha256 } of model!.files) {
    const content = new Uint8Array(await (await store.openFile(plan.id, path)).arrayBuffer());
    expect(Buffer.compare(content, server.files.get(path)!), path).toBe(0);
    expect(await sha256Hex(content)).toBe(sha256);
  }
  expect(await store.incomplete()).toEqual([]);
}

/** Nothing is listed, nothing can be opened, whatever lies on the disk. */
async function expectNothingUsed(plan: ModelPlan): Promise<void> {
  expect(await store.list()).toEqual([]);
  for (const { path } of plan.files)
    await expect(store.openFile(plan.id, path)).rejects.toEqual(code('model.none'));
}

describe('a kind server', () => {
  it('gives a model from the Hub, verified', async () => {
    const plan = await planHub();
    const model = await get(plan);
    expect(model.source).toMatchObject({ kind: 'hub', repo: HUB_REPO });
    await expectWhole(plan);
  });

  it('tells how far each file and all of them are', async () => {
    const plan = await planUrl();
    const events: IntakeProgress[] = [];
    await get(plan, { onProgress: (event) => events.push(event) });
    const done = events.filter(({ status }) => status === 'done');
    expect(done.map(({ file }) => file).toSorted()).toEqual(plan.files.map(({ path }) => path).toSorted());
    expect(done.at(-1)).toMatchObject({ loaded: plan.totalBytes, total: plan.totalBytes });
    for (const { fileLoaded, fileTotal, loaded } of events) {
      expect(fileLoaded).toBeLessThanOrEqual(fileTotal);
      expect(loaded).toBeLessThanOrEqual(plan.totalBytes);
    }
  });

  it('is not asked again for what is kept', async () => {
    const plan = await planUrl();
    await get(plan);
    server.requests.length = 0;
    await get(plan);
    expect(server.requests).toEqual([]);
  });
});

describe('goes on by itself', () => {
  const cases: [string, Fault[], number[]][] = [
    ['a connection that breaks', [{ kind: 'cut', after: 100_000 }], [0, 98_304]],
    ['a connection that stalls', [{ kind: 'stall', after: 98_304 }], [0, 98_304]],
    ['answer 500', [{ kind: 'status', status: 500 }], [0, 0]],
    [
      'answer 503 twice',
      [
        { kind: 'status', status: 503 },
        { kind: 'status', status: 503 },
      ],
      [0, 0, 0],
    ],
    ['a server that ignores ranges', [{ kind: 'cut', after: 98_304 }, { kind: 'wholeFile' }], [0, 98_304]],
    ['a range refused', [{ kind: 'cut', after: 98_304 }, { kind: 'rangeRefused' }], [0, 98_304, 0]],
  ];
  it.each(cases)('after %s', async (_, faults, wanted) => {
    const plan = await planHub();
    server.faults.set(WEIGHTS, faults);
    await get(plan);
    await expectWhole(plan);
    const found = starts();
    expect(found).toHaveLength(wanted.length);
    // A broken connection may lose the last pieces on their way.
    found.forEach((from, index) => {
      expect(from).toBeLessThanOrEqual(wanted[index]! + 16_384);
      expect(from > 0).toBe(wanted[index]! > 0);
    });
  });

  it('after a server that refuses every range', async () => {
    const plan = await planHub();
    server.lasting.set(WEIGHTS, { kind: 'rangeRefused' });
    await get(plan);
    await expectWhole(plan);
  });

  it('waits as long as answer 429 asks', async () => {
    const plan = await planHub();
    server.faults.set(WEIGHTS, [{ kind: 'status', status: 429, retryAfter: '1' }]);
    const reasons: (string | null)[] = [];
    const began = performance.now();
    await get(plan, { onProgress: ({ status, reason }) => status === 'waiting' && reasons.push(reason) });
    expect(performance.now() - began).toBeGreaterThan(990);
    expect(reasons).toEqual(['The server is busy (answer 429).']);
    await expectWhole(plan);
  });

  it('starts over when the file changes between two tries and nobody promised its hash', async () => {
    const plan = await planUrl();
    server.faults.set(WEIGHTS, [{ kind: 'cut', after: 98_304 }]);
    const fetching = get(plan, {
      onProgress: ({ status }) => status === 'waiting' && server.files.set(WEIGHTS, noise(200_000, 99)),
    });
    await fetching;
    await expectWhole(plan);
    expect(starts().at(-1)).toBe(0);
  });
});

describe('gives up with nothing listed', () => {
  const cases: [string, Fault, string][] = [
    ['answer 404', { kind: 'status', status: 404 }, 'download.missing'],
    ['answer 403', { kind: 'status', status: 403 }, 'download.denied'],
    ['a damaged file', { kind: 'corrupt' }, 'download.corrupt'],
    ['answer 500 for ever', { kind: 'status', status: 500 }, 'download.stopped'],
    ['answer 429 for ever', { kind: 'status', status: 429 }, 'download.stopped'],
    [
      'a server that always cuts and ignores ranges',
      { kind: 'wholeFile', cutAfter: 65_536 },
      'download.stopped',
    ],
    ['a server that goes silent for ever', { kind: 'stall', after: 0 }, 'download.stopped'],
  ];
  it.each(cases)('%s', async (_, fault, expected) => {
    const plan = await planHub();
    server.lasting.set(WEIGHTS, fault);
    await expect(get(plan)).rejects.toEqual(code(expected));
    await expectNothingUsed(plan);
    server.lasting.clear();
    await get(plan);
    await expectWhole(plan);
  });

  it('a file that git names, damaged', async () => {
    const plan = await planHub();
    server.faults.set('unet/config.json', [{ kind: 'corrupt' }]);
    await expect(get(plan)).rejects.toEqual(code('download.corrupt'));
    await expectNothingUsed(plan);
  });

  it('a file that has become longer', async () => {
    const plan = await planUrl();
    server.files.set(WEIGHTS, noise(200_001));
    await expect(get(plan)).rejects.toEqual(code('download.size'));
    await expectNothingUsed(plan);
  });

  it('a full disk, and says how much is missing', async () => {
    const plan = await planHub();
    tree.quota = 150_000;
    await expect(get(plan)).rejects.toMatchObject({ code: 'storage.full', message: /are missing/ });
    await expectNothingUsed(plan);
    tree.quota = Infinity;
    await get(plan);
    await expectWhole(plan);
  });

  it('a cancel', async () => {
    const plan = await planHub();
    const cancel = new AbortController();
    server.delay = 30;
    const onProgress = ({ file, fileLoaded }: IntakeProgress) => {
      if (file === WEIGHTS && fileLoaded > 50_000) cancel.abort();
    };
    await expect(get(plan, { signal: cancel.signal, onProgress })).rejects.toEqual(code('cancelled'));
    await expectNothingUsed(plan);
  });
});

describe('a fetch that was cut short', () => {
  /** Ends as a reload ends it: in the middle of the weights. */
  async function cutShort(plan: ModelPlan, weights = WEIGHTS): Promise<void> {
    server.faults.set(weights, [{ kind: 'cut', after: 98_304 }]);
    server.lasting.set(weights, { kind: 'status', status: 404 });
    await expect(get(plan)).rejects.toEqual(code('download.missing'));
    server.lasting.clear();
    server.requests.length = 0;
  }

  it('is found, and goes on where it stopped', async () => {
    const plan = await planHub();
    await cutShort(plan);
    const [pending] = await store.incomplete();
    expect(pending).toMatchObject({ id: plan.id, bytes: plan.totalBytes });
    expect(pending!.received).toBeGreaterThan(0);
    const again = planToResume(pending!)!;
    expect(again.id).toBe(plan.id);
    await get(again);
    await expectWhole(plan);
    expect(server.requests.map(({ path }) => path)).toEqual([WEIGHTS]);
    expect(starts()[0]).toBeGreaterThan(0);
  });

  it('of one checkpoint elsewhere is found, and goes on where it stopped, settings and tokenizer with it', async () => {
    const name = 'mine.safetensors';
    const file = await drawableCheckpoint();
    server.files.set(name, file);
    const readMerges = async () => new Uint8Array(await readFile(MERGES));
    const plan = await planFromUrl(`${server.url}${name}?sig=1`, { retry: RETRY, readMerges });
    await cutShort(plan, name);
    const [pending] = await store.incomplete();
    const model = await get(planToResume(pending!)!);
    expect(server.requests.map(({ path, from }) => [path, from > 0])).toEqual([[name, true]]);
    expect(model.files.map(({ path }) => path).toSorted()).toEqual(
      plan.files.map(({ path }) => path).toSorted(),
    );
    const kept = await store.openFile(plan.id, layout.checkpoint);
    expect(await sha256Hex(new Uint8Array(await kept.arrayBuffer()))).toBe(await sha256Hex(file));
  });

  it('is refused when what lies on the disk was damaged meanwhile, then fetched afresh', async () => {
    const plan = await planHub();
    await cutShort(plan);
    tree.files.get(`${plan.id}/files/${WEIGHTS}`)![10]! ^= 1;
    await expect(get(plan)).rejects.toEqual(code('download.corrupt'));
    await expectNothingUsed(plan);
    await get(plan);
    await expectWhole(plan);
  });

  it('starts a file over when the server names no state and no hash', async () => {
    server.tagged = false;
    const plan = await planUrl();
    await cutShort(plan);
    await get(plan);
    await expectWhole(plan);
    expect(starts()).toEqual([0]);
  });

  it('can be removed', async () => {
    const plan = await planHub();
    await cutShort(plan);
    await store.remove(plan.id);
    expect(await store.incomplete()).toEqual([]);
    expect([...tree.files.keys()]).toEqual([]);
  });
});

describe('a folder', () => {
  const folder = () =>
    [...tinyModel()].map(([path, content]) => ({
      path: `My model/${path}`,
      file: new File([content], path),
    }));

  it('is copied', async () => {
    const plan = await planFromFolder(folder());
    expect(plan.title).toBe('My model');
    await get(plan);
    await expectWhole(plan);
  });

  it('can be cancelled, and is not gone on with by itself', async () => {
    const plan = await planFromFolder(folder());
    const cancel = new AbortController();
    const onProgress = ({ status }: IntakeProgress) => {
      if (status === 'done') cancel.abort();
    };
    await expect(get(plan, { signal: cancel.signal, onProgress })).rejects.toEqual(code('cancelled'));
    await expectNothingUsed(plan);
    expect(planToResume((await store.incomplete())[0]!)).toBeNull();
  });
});
