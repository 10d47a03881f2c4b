/** A training that is cut short goes on from its last checkpoint, whatever ended it, and is asked for as it was. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { openMemoryStorage } from '../storage/storage.ts';
import type { StudioClient } from '../worker/studioClient.ts';
import { fillIn, scriptedClient, startStudio, trainQuickly } from './testing/scriptedStudio.ts';

const bytes = async (blob: Blob | undefined) => [...new Uint8Array((await blob?.arrayBuffer()) ?? [])];

/** A client whose first training dies after so many steps. */
function dyingClient(steps: number) {
  const train = vi.fn<StudioClient['train']>(async (request, options) => {
    const { settings } = request;
    const last = train.mock.calls.length === 1 ? steps : settings.steps;
    const done = await trainQuickly(
      { ...request, settings: { ...settings, steps: last } },
      options!.onEvent!,
      options!.signal!,
    );
    if (last === settings.steps) return done;
    throw new AppError('worker.died', 'It stopped.');
  });
  return { client: scriptedClient({ train }), train };
}

describe('a training whose worker died', () => {
  it('says where it stands, once, and goes on with what was asked for', async () => {
    const { client, train } = dyingClient(15);
    const studio = await startStudio({ client });
    await fillIn(studio);
    await studio.store.getState().train();
    const { interrupted, problems, training, concepts, form } = studio.store.getState();
    expect(training).toBeNull();
    expect(interrupted).toMatchObject({ name: 'tin robot', step: 12, steps: 30 });
    expect(problems.training).toEqual([]);
    expect(form.conceptId).toBe(concepts[0]?.id);
    expect(await bytes(concepts[0]?.file)).toEqual([12]);
    expect(concepts[0]?.previews.map(({ step }) => step)).toEqual([10]);

    studio.store.getState().edit({ name: 'another', trainSteps: '7', learningRate: '0.1' });
    await studio.store.getState().resumeTraining();
    const [first, second] = train.mock.calls.map(([request]) => request);
    expect(second).toEqual({ ...first, resume: Uint8Array.of(12), losses: expect.any(Array) });
    expect(second!.losses).toHaveLength(12);
    const [whole] = studio.store.getState().concepts;
    expect(whole).toMatchObject({ name: 'tin robot', step: 30, steps: 30 });
    expect(whole?.previews.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(studio.store.getState().interrupted).toBeNull();
    expect(await studio.storage.trainingOrder.load()).toBeNull();
  });

  it('begins anew when it had not come to a checkpoint', async () => {
    const { client, train } = dyingClient(2);
    const studio = await startStudio({ client });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().interrupted).toMatchObject({ step: 0, steps: 30 });
    await studio.store.getState().resumeTraining();
    expect(train.mock.calls[1]![0]).toEqual(train.mock.calls[0]![0]);
    expect(studio.store.getState().concepts[0]).toMatchObject({ step: 30 });
  });

  it('is not gone on with when it diverged, and keeps what it had learned', async () => {
    const train: StudioClient['train'] = async (request, options) => {
      const short = { ...request, settings: { ...request.settings, steps: 6 } };
      await trainQuickly(short, options!.onEvent!, options!.signal!);
      throw new AppError('training.diverged', 'The loss became NaN.');
    };
    const studio = await startStudio({ client: scriptedClient({ train }) });
    await fillIn(studio);
    await studio.store.getState().train();
    const { interrupted, problems, concepts } = studio.store.getState();
    expect(interrupted).toBeNull();
    expect(problems.training[0]).toMatchObject({ code: 'training.diverged' });
    expect(concepts[0]).toMatchObject({ step: 4 });
  });

  it('is left as it is on demand', async () => {
    const studio = await startStudio(dyingClient(15));
    await fillIn(studio);
    await studio.store.getState().train();
    await studio.store.getState().leaveInterrupted();
    expect(studio.store.getState().interrupted).toBeNull();
    expect(await studio.storage.checkpoint.load()).toBeNull();
    expect(studio.store.getState().concepts[0]).toMatchObject({ step: 12, steps: 30 });
  });
});

describe('a page that is opened again', () => {
  async function cutShort() {
    const storage = openMemoryStorage();
    const studio = await startStudio({ ...dyingClient(15), storage });
    await fillIn(studio);
    await studio.store.getState().train();
    return storage;
  }

  it('chooses the concept that was cut short, and goes on with it', async () => {
    const storage = await cutShort();
    const { store } = await startStudio({ storage });
    const { interrupted, form, concepts } = store.getState();
    expect(interrupted).toMatchObject({ conceptId: concepts[0]!.id, step: 12 });
    expect(form.conceptId).toBe(concepts[0]!.id);
    await store.getState().resumeTraining();
    expect(store.getState().concepts).toHaveLength(1);
    expect(store.getState().concepts[0]).toMatchObject({ step: 30 });
    expect(store.getState().concepts[0]?.previews.map(({ step }) => step)).toEqual([10, 20, 30]);
  });

  it('leaves alone what another tab is training', async () => {
    const storage = await cutShort();
    const lock = { hold: () => Promise.reject(new AppError('training.otherTab', 'Another tab.')) };
    expect((await startStudio({ storage, lock })).store.getState().interrupted).toBeNull();
  });

  it('goes on only on the base that it is learned on', async () => {
    const storage = await cutShort();
    const { store } = await startStudio({ storage });
    store.setState(({ base }) => ({ base: { ...base!, hash: 'another' } }));
    await store.getState().resumeTraining();
    expect(store.getState().problems.training[0]).toMatchObject({ code: 'training.base' });
    expect(await storage.trainingOrder.load()).not.toBeNull();
  });
});

it('trains on when nothing can be kept, and says so', async () => {
  const storage = openMemoryStorage();
  const full = () => Promise.reject(new AppError('storage.full', 'It is full.'));
  const blocked = { ...storage, trainingOrder: { ...storage.trainingOrder, save: full } };
  const studio = await startStudio({
    storage: { ...blocked, checkpoint: { ...storage.checkpoint, save: full } },
  });
  await fillIn(studio);
  await studio.store.getState().train();
  expect(studio.store.getState().problems.training[0]).toMatchObject({ code: 'storage.full' });
  expect(studio.store.getState().concepts[0]).toMatchObject({ step: 30 });
});
