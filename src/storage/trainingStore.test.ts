/** Trainings that are kept: whatever write is cut short or file is lost, the checkpoint before it can be read. */
import { describe, expect, it } from 'vitest';
import { memoryKeyValue, type KeyValue } from './keyValue.ts';
import type { Checkpoint, TrainingOrder } from './records.ts';
import { trainingStore } from './trainingStore.ts';

const orderOf = (run: string, id = 'c1'): TrainingOrder => ({
  version: 1,
  run,
  begun: `2026-01-02T00:00:0${run.length}.000Z`,
  record: {
    version: 1,
    id,
    name: 'tin robot',
    category: 'toy',
    kind: 'object',
    created: '2026-01-02T00:00:00.000Z',
    updated: '2026-01-02T00:00:00.000Z',
    baseId: 'base',
    baseHash: 'ab',
    step: 0,
    steps: 60,
    seed: 7,
    file: new Blob(),
    thumbnail: null,
    tags: [],
    pictures: [],
    previews: [],
    curve: [],
  },
  pictures: [],
  settings: {
    variant: 'neti',
    steps: 60,
    learningRate: 0.008,
    batchSize: 8,
    start: 'starting-mapper',
    nestedDropout: 0.5,
    seed: 7,
    horizontalFlip: true,
    previewEvery: 10,
    previewPrompts: ['A photo of {}'],
  },
  further: false,
});

const checkpoint = (step: number, run = 'r'): Checkpoint => ({
  version: 1,
  conceptId: 'c1',
  run,
  step,
  file: new Blob([`${step}`]),
  losses: Array<number>(step).fill(0.1),
  curve: [],
});

const keptStep = async (values: KeyValue) => (await trainingStore(values).list())[0]?.checkpoint?.step;

/** Values whose writes stop working, as in a tab that dies, after `writes` of them. */
function dying(values: KeyValue, writes: number): KeyValue {
  let left = writes;
  const set: KeyValue['set'] = (key, value) =>
    left-- > 0 ? values.set(key, value) : Promise.reject(new Error('The tab is gone.'));
  return { ...values, set };
}

describe('the trainings that are kept', () => {
  it('are the newest checkpoint with what was asked, one a concept, oldest first', async () => {
    const values = memoryKeyValue();
    const store = trainingStore(values);
    await store.begin(orderOf('rr', 'c2'));
    await store.begin(orderOf('r'));
    for (const step of [1, 2, 3]) await store.keep(checkpoint(step));
    const kept = await trainingStore(values).list();
    expect(kept.map(({ order }) => order.record.id)).toEqual(['c1', 'c2']);
    expect(kept.map((each) => each.checkpoint?.step)).toEqual([3, undefined]);
    await store.forget('c1');
    expect((await trainingStore(values).list()).map(({ order }) => order.record.id)).toEqual(['c2']);
  });

  it('began as the official implementation where they are of before there was a choice', async () => {
    const values = memoryKeyValue();
    await trainingStore(values).begin(orderOf('r'));
    for (const [key, value] of await values.entries()) {
      const { settings, ...order } = value as TrainingOrder;
      const { start, ...before } = settings;
      expect(start).toBe('starting-mapper');
      await values.set(key, { ...order, settings: before });
    }
    expect((await trainingStore(values).list())[0]!.order.settings.start).toBe('official');
  });

  it.each([0, 1, 2, 3, 4, 5])('are whole when the tab dies after %i writes', async (writes) => {
    const values = memoryKeyValue();
    const store = trainingStore(dying(values, writes));
    await store.begin(orderOf('r')).catch(() => undefined);
    for (const step of [1, 2, 3, 4]) await store.keep(checkpoint(step)).catch(() => undefined);
    expect(await keptStep(values)).toBe(writes < 2 ? undefined : writes - 1);
  });

  it('go on in the other slot after a reload, so that the newest is never written over', async () => {
    const values = memoryKeyValue();
    const before = trainingStore(values);
    await before.begin(orderOf('r'));
    await before.keep(checkpoint(1));
    for (const step of [2, 3]) {
      const store = trainingStore(values);
      await store.list();
      await store.keep(checkpoint(step));
      const kept = (await values.entries()).filter(([key]) => key.startsWith('checkpoint'));
      expect(kept.map(([, value]) => (value as Checkpoint).step).sort()).toEqual([step - 1, step]);
    }
  });

  it('are the checkpoint before where a power cut left the newest without its file', async () => {
    const values = memoryKeyValue();
    const store = trainingStore(values);
    await store.begin(orderOf('r'));
    await store.keep(checkpoint(1));
    const lost = checkpoint(2);
    lost.file.arrayBuffer = () => Promise.reject(new DOMException('gone', 'NotFoundError'));
    await store.keep(lost);
    expect(await keptStep(values)).toBe(1);
  });

  it('have no checkpoint of a run before', async () => {
    const values = memoryKeyValue();
    const store = trainingStore(values);
    await store.begin(orderOf('r'));
    await store.keep(checkpoint(50));
    await store.begin(orderOf('rr'));
    expect(await keptStep(values)).toBeUndefined();
    await store.keep(checkpoint(1, 'rr'));
    expect(await keptStep(values)).toBe(1);
  });
});
