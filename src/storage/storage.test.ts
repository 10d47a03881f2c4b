/** Records in IndexedDB: kept, damaged, denied. */
import { IDBFactory } from 'fake-indexeddb';
import 'fake-indexeddb/auto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { indexedDbKeyValue } from './keyValue.ts';
import { draftFormSchema, resultSchema, type ConceptRecord } from './records.ts';
import { openStorage } from './storage.ts';

const file = new Blob([new Uint8Array([1, 2, 3])]);

const concept: ConceptRecord = {
  version: 1,
  id: 'c1',
  name: 'tin robot',
  category: 'toy',
  kind: 'object',
  created: '2026-01-02T00:00:00.000Z',
  updated: '2026-01-02T00:00:00.000Z',
  baseId: 'sticker-world',
  baseHash: 'ab',
  step: 100,
  steps: 150,
  seed: 7,
  file,
  thumbnail: null,
  tags: [],
  pictures: [file],
  previews: [{ step: 50, pictures: [file], file }],
  curve: [{ step: 1, loss: 0.5, spread: 0.1 }],
};

const result = resultSchema.parse({
  version: 1,
  id: 'r1',
  conceptId: 'c1',
  conceptName: 'tin robot',
  baseId: 'sticker-world',
  prompt: 'A photo of {}',
  negativePrompt: '',
  seed: 3,
  steps: 20,
  guidanceScale: 7.5,
  truncation: 128,
  sampler: 'ddim',
  mixing: { conceptId: 'c2', conceptName: 'teapot', start: 40 },
  scores: { likeness: 0.7, prompt: 0.6 },
  picture: file,
  created: '2026-01-02T00:00:00.000Z',
});

const form = draftFormSchema.parse({
  version: 1,
  name: 'tin robot',
  category: 'toy',
  kind: 'object',
  trainSteps: '150',
  trainSeed: '',
  conceptId: null,
  prompt: 'A photo of {}',
  negativePrompt: '',
  seed: '',
  count: 4,
  steps: '20',
  guidanceScale: '7.5',
  filled: { trainSteps: '150', steps: '50', guidanceScale: '7.5', sampler: 'ddim' },
  truncation: 128,
  sampler: 'ddim',
  appearanceId: null,
  mixingStart: 40,
  provider: 'auto',
  model: null,
});

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  return () => vi.restoreAllMocks();
});

describe('openStorage', () => {
  it('returns what was put after it is opened again, oldest first', async () => {
    const before = await openStorage();
    await before.concepts.put({ ...concept, id: 'newer', created: '2026-02-01T00:00:00.000Z' });
    await before.concepts.put(concept);
    await before.results.put(result);
    await before.draftForm.save(form);
    const after = await openStorage();
    expect(after.blocked).toBeNull();
    const { records, damaged } = await after.concepts.list();
    expect(records.map((each) => each.id)).toEqual(['c1', 'newer']);
    expect(damaged).toEqual([]);
    expect([...new Uint8Array(await records[0]!.file.arrayBuffer())]).toEqual([1, 2, 3]);
    expect((await after.results.list()).records).toHaveLength(1);
    expect(await after.draftForm.load()).toEqual(form);
  });

  it('forgets what was removed', async () => {
    const storage = await openStorage();
    await storage.concepts.put(concept);
    await storage.results.put(result);
    await storage.concepts.remove('c1');
    await storage.results.clear();
    expect((await storage.concepts.list()).records).toEqual([]);
    expect((await storage.results.list()).records).toEqual([]);
  });

  it('tells other tabs, and not itself, that concepts changed', async () => {
    const [here, there] = [await openStorage(), await openStorage()];
    const [heardHere, heardThere] = [vi.fn(), vi.fn()];
    here.onConceptsChanged(heardHere);
    there.onConceptsChanged(heardThere);
    await here.concepts.put(concept);
    await expect.poll(() => heardThere.mock.calls.length).toBe(1);
    await here.concepts.remove(concept.id);
    await expect.poll(() => heardThere.mock.calls.length).toBe(2);
    expect(heardHere).not.toHaveBeenCalled();
  });

  it('reports a damaged record and keeps the others', async () => {
    const storage = await openStorage();
    await storage.concepts.put(concept);
    await indexedDbKeyValue('neti-studio-concepts').set('broken', { ...concept, id: 'broken', step: 'many' });
    const { records, damaged } = await storage.concepts.list();
    expect(records.map((each) => each.id)).toEqual(['c1']);
    expect(damaged).toHaveLength(1);
    expect(damaged[0]).toContain('broken: step');
  });

  it('ignores a draft of an unknown version', async () => {
    const storage = await openStorage();
    await indexedDbKeyValue('neti-studio-draft').set('form', { ...form, version: 2 });
    expect(await storage.draftForm.load()).toBeNull();
  });

  it('works in memory and says so where IndexedDB is denied', async () => {
    vi.spyOn(globalThis.indexedDB, 'open').mockImplementation(() => {
      throw new DOMException('denied by policy', 'SecurityError');
    });
    const storage = await openStorage();
    expect(storage.blocked?.code).toBe('storage.blocked');
    expect(storage.blocked?.message).toContain('denied by policy');
    await storage.concepts.put(concept);
    expect((await storage.concepts.list()).records).toHaveLength(1);
  });

  it('says that the browser is full', async () => {
    const storage = await openStorage();
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(() => {
      throw new DOMException('no room', 'QuotaExceededError');
    });
    await expect(storage.concepts.put(concept)).rejects.toMatchObject({ code: 'storage.full' });
  });
});
