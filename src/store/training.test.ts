/** Training from the form to the library, and what is kept when it is cut short. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { openMemoryStorage } from '../storage/storage.ts';
import { fillIn, scriptedClient, startStudio } from './testing/scriptedStudio.ts';
import { extendCurve } from './trainingSlice.ts';
import { browserLock } from './trainingLock.ts';

const bytes = async (blob: Blob | undefined) => [...new Uint8Array((await blob?.arrayBuffer()) ?? [])];

/** A long training that has two previews. */
async function inTraining() {
  const studio = await startStudio();
  await fillIn(studio, 5000);
  const running = studio.store.getState().train();
  await vi.waitFor(() => expect(studio.store.getState().training?.previews.length).toBeGreaterThan(1));
  return { studio, running };
}

describe('training', () => {
  it('puts the concept with pictures, previews and curve into library and storage, and chooses it', async () => {
    const studio = await startStudio();
    await fillIn(studio);
    await studio.store.getState().train();
    const { concepts, form, training } = studio.store.getState();
    expect(training).toBeNull();
    expect(form.conceptId).toBe(concepts[0]?.id);
    const [stored] = (await studio.storage.concepts.list()).records;
    expect(stored).toMatchObject({ name: 'tin robot', category: 'toy', step: 30, steps: 30, baseId: 'base' });
    expect(stored?.previews.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(stored?.curve).toHaveLength(30);
    expect(stored?.pictures).toHaveLength(1);
    expect(await bytes(stored?.file)).toEqual([30]);
  });

  it.each([
    ['no name', { name: '  ' }, 'name', 'Give the concept a name'],
    ['a long name', { name: 'x'.repeat(61) }, 'name', '61 letters'],
    ['no category', { category: '' }, 'category', 'in one word'],
    ['no number of steps', { trainSteps: 'many' }, 'trainSteps', '“many”'],
    ['no steps', { trainSteps: '0' }, 'trainSteps', 'from 1 to 10000'],
    ['a wild learning rate', { learningRate: '8' }, 'learningRate', 'from 0.000001 to 1'],
    ['an odd number of pictures a step', { batchSize: '3' }, 'batchSize', 'an even number from 2'],
    ['dropout beyond certainty', { nestedDropout: '1.5' }, 'nestedDropout', 'from 0 to 1'],
  ] as const)('refuses %s at its field and keeps the pictures', async (_, edit, field, message) => {
    const studio = await startStudio();
    await fillIn(studio);
    studio.store.getState().edit(edit);
    await studio.store.getState().train();
    const { fieldProblems, pictures, concepts } = studio.store.getState();
    expect(fieldProblems[field]).toContain(message);
    expect(pictures).toHaveLength(1);
    expect(concepts).toEqual([]);
  });

  it('asks the worker for what the options say, and goes back to the defaults', async () => {
    const train = vi.fn(scriptedClient().train);
    const studio = await startStudio({ client: scriptedClient({ train }) });
    await fillIn(studio);
    const { edit, resetTraining } = studio.store.getState();
    const defaults = studio.store.getState().form;
    edit({
      learningRate: '0.002',
      batchSize: '2',
      nestedDropout: '0',
      variant: 'xti',
      trainSeed: '5',
      start: 'official',
    });
    await studio.store.getState().train();
    const asked = {
      learningRate: 0.002,
      batchSize: 2,
      nestedDropout: 0,
      variant: 'xti',
      seed: 5,
      start: 'official',
    };
    expect(train.mock.calls[0]![0].settings).toMatchObject(asked);
    resetTraining();
    const { conceptId, ...form } = studio.store.getState().form;
    expect(form).toEqual({
      ...form,
      ...defaults,
      conceptId: undefined,
      trainSteps: defaults.filled.trainSteps,
    });
    expect(conceptId).not.toBeNull();
  });

  it('refuses to train on nothing', async () => {
    const { store } = await startStudio();
    store.getState().edit({ name: 'x', category: 'toy' });
    await store.getState().train();
    expect(store.getState().problems.training[0]).toMatchObject({ code: 'training.pictures' });
  });

  it('shows what the model says about the category at its field', async () => {
    const checkCategory = () => Promise.reject(new AppError('category.tokens', 'Two tokens.'));
    const studio = await startStudio({ client: scriptedClient({ checkCategory }) });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().fieldProblems.category).toBe('Two tokens.');
  });

  it('starts once however often it is asked', async () => {
    const train = vi.fn(scriptedClient().train);
    const studio = await startStudio({ client: scriptedClient({ train }) });
    await fillIn(studio);
    const { train: start } = studio.store.getState();
    await Promise.all([start(), start(), start(), start()]);
    expect(train).toHaveBeenCalledTimes(1);
    expect(studio.store.getState().concepts).toHaveLength(1);
  });

  it('keeps what was learned when it is stopped', async () => {
    const { studio, running } = await inTraining();
    studio.store.getState().stopTraining();
    await running;
    const [concept] = studio.store.getState().concepts;
    expect(concept?.step).toBeGreaterThan(19);
    expect(concept?.step).toBeLessThan(5000);
    expect(concept?.steps).toBe(5000);
  });

  it('tells when it is done, and only then, and asks only when it is asked to', async () => {
    const show = vi.fn();
    const ask = vi.fn(() => Promise.resolve('granted' as const));
    const studio = await startStudio({ notifier: { permission: () => 'default', ask, show } });
    await fillIn(studio, 5000);
    const running = studio.store.getState().train();
    await vi.waitFor(() => expect(studio.store.getState().training?.step).toBeGreaterThan(1));
    studio.store.getState().stopTraining();
    await running;
    expect([show.mock.calls.length, ask.mock.calls.length]).toEqual([0, 0]);
    await studio.store.getState().askToNotify();
    expect(studio.store.getState().mayNotify).toBe('granted');
    studio.store.getState().edit({ trainSteps: '3' });
    await studio.store.getState().train();
    expect(show.mock.calls).toEqual([['Training is done', '“tin robot” is ready to be drawn.']]);
  });

  it('takes an earlier preview as the concept', async () => {
    const studio = await startStudio();
    await fillIn(studio);
    await studio.store.getState().train();
    const { id } = studio.store.getState().concepts[0]!;
    await studio.store.getState().takePreview(id, 20);
    const [concept] = studio.store.getState().concepts;
    expect(concept?.step).toBe(20);
    expect(await bytes(concept?.file)).toEqual([20]);
    expect(concept?.previews).toHaveLength(3);
  });

  it('stops at a preview that is taken while training', async () => {
    const { studio, running } = await inTraining();
    await studio.store.getState().takePreview(studio.store.getState().training!.conceptId, 10);
    await running;
    expect(studio.store.getState().concepts[0]?.step).toBe(10);
  });

  it('trains a concept of the library further on its own pictures', async () => {
    const train = vi.fn(scriptedClient().train);
    const studio = await startStudio({ client: scriptedClient({ train }) });
    await fillIn(studio);
    await studio.store.getState().train();
    studio.store.getState().clearPictures();
    await studio.store.getState().trainFurther(studio.store.getState().concepts[0]!.id);
    const request = train.mock.calls[1]![0];
    expect([...request.resume!]).toEqual([30]);
    expect(request.pictures).toHaveLength(1);
    expect(studio.store.getState().concepts).toHaveLength(1);
    expect(studio.store.getState().concepts[0]?.steps).toBe(60);
  });

  it('says that another tab is training', async () => {
    const locks = {
      request: (_: string, __: LockOptions, work: (lock: null) => unknown) =>
        Promise.resolve().then(() => work(null)),
    };
    const studio = await startStudio({ lock: browserLock(locks as unknown as LockManager) });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().problems.training[0]).toMatchObject({ code: 'training.otherTab' });
    expect(studio.store.getState().pictures).toHaveLength(1);
  });

  it('keeps a concept that does not fit into storage on the page until it is saved again', async () => {
    const storage = openMemoryStorage();
    let full = true;
    const put: typeof storage.concepts.put = (record) =>
      full ? Promise.reject(new AppError('storage.full', 'Full.')) : openMemoryStorage().concepts.put(record);
    const studio = await startStudio({ storage: { ...storage, concepts: { ...storage.concepts, put } } });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().concepts).toHaveLength(1);
    expect(studio.store.getState().unsaved).toHaveLength(1);
    expect(studio.store.getState().problems.library[0]).toMatchObject({ code: 'storage.full' });
    full = false;
    await studio.store.getState().saveAgain();
    expect(studio.store.getState().unsaved).toEqual([]);
    expect(studio.store.getState().problems.library).toEqual([]);
  });
});

describe('extendCurve', () => {
  it('stays short and keeps first and last point', () => {
    let curve: ReturnType<typeof extendCurve> = [];
    for (let step = 1; step <= 10_000; step++) curve = extendCurve(curve, { step, loss: 1, spread: 0 });
    expect(curve.length).toBeLessThanOrEqual(601);
    expect(curve[0]?.step).toBe(1);
    expect(curve.at(-1)?.step).toBe(10_000);
  });
});
