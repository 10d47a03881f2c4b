/** A training that is cut short goes on from its last checkpoint, whatever ended it, and is asked for as it was. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { MAX_TRAINED_STEPS } from '../neti/limits.ts';
import { openMemoryStorage } from '../storage/storage.ts';
import type { StudioClient } from '../worker/studioClient.ts';
import {
  fillIn,
  scriptedClient,
  startStudio,
  trainQuickly,
  type TestStudio,
} from './testing/scriptedStudio.ts';

const bytes = async (blob: Blob | undefined) => [...new Uint8Array((await blob?.arrayBuffer()) ?? [])];

const firstCut = ({ store }: Pick<TestStudio, 'store'>) => store.getState().interrupted[0]!.conceptId;

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
    expect(interrupted).toHaveLength(1);
    expect(interrupted[0]).toMatchObject({ name: 'tin robot', step: 12, steps: 30 });
    expect(problems.training).toEqual([]);
    expect(form.conceptId).toBe(concepts[0]?.id);
    expect(await bytes(concepts[0]?.file)).toEqual([12]);
    expect(concepts[0]?.previews.map(({ step }) => step)).toEqual([10]);

    studio.store.getState().edit({ name: 'another', trainSteps: '7', learningRate: '0.1' });
    await studio.store.getState().resumeTraining(firstCut(studio));
    const [first, second] = train.mock.calls.map(([request]) => request);
    expect(second).toEqual({ ...first, resume: Uint8Array.of(12), losses: expect.any(Array) });
    expect(second!.losses).toHaveLength(12);
    const [whole] = studio.store.getState().concepts;
    expect(whole).toMatchObject({ name: 'tin robot', step: 30, steps: 30 });
    expect(whole?.previews.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(studio.store.getState().interrupted).toEqual([]);
    expect(await studio.storage.trainings.list()).toEqual([]);
  });

  it('begins anew when it had not come to a checkpoint', async () => {
    const { client, train } = dyingClient(2);
    const studio = await startStudio({ client });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().interrupted[0]).toMatchObject({ step: 0, steps: 30 });
    await studio.store.getState().resumeTraining(firstCut(studio));
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
    expect(interrupted).toEqual([]);
    expect(problems.training[0]).toMatchObject({ code: 'training.diverged' });
    expect(concepts[0]).toMatchObject({ step: 4 });
  });

  it('is left as it is on demand', async () => {
    const studio = await startStudio(dyingClient(15));
    await fillIn(studio);
    await studio.store.getState().train();
    await studio.store.getState().leaveInterrupted(firstCut(studio));
    expect(studio.store.getState().interrupted).toEqual([]);
    expect(await studio.storage.trainings.list()).toEqual([]);
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
    expect(interrupted[0]).toMatchObject({ conceptId: concepts[0]!.id, step: 12 });
    expect(form.conceptId).toBe(concepts[0]!.id);
    await store.getState().resumeTraining(interrupted[0]!.conceptId);
    expect(store.getState().concepts).toHaveLength(1);
    expect(store.getState().concepts[0]).toMatchObject({ step: 30 });
    expect(store.getState().concepts[0]?.previews.map(({ step }) => step)).toEqual([10, 20, 30]);
  });

  it('leaves alone what another tab is training', async () => {
    const storage = await cutShort();
    const lock = { hold: () => Promise.reject(new AppError('training.otherTab', 'Another tab.')) };
    expect((await startStudio({ storage, lock })).store.getState().interrupted).toEqual([]);
  });

  it('goes on only on the base that it is learned on', async () => {
    const storage = await cutShort();
    const { store } = await startStudio({ storage });
    store.setState(({ base }) => ({ base: { ...base!, hash: 'another' } }));
    await store.getState().resumeTraining(firstCut({ store }));
    expect(store.getState().problems.training[0]).toMatchObject({ code: 'training.base' });
    expect(await storage.trainings.list()).toHaveLength(1);
  });
});

describe('two tabs', () => {
  it('one that begins a training leaves another that was cut short as it is', async () => {
    const storage = openMemoryStorage();
    const first = await startStudio({ ...dyingClient(15), storage });
    await fillIn(first);
    await first.store.getState().train();
    const second = await startStudio({ ...dyingClient(9), storage, newId: countingFrom(500) });
    await second.store.getState().addPictures([new File(['picture'], 'two.png')]);
    second.store.getState().edit({ name: 'glass bird', category: 'toy', trainSteps: '20' });
    await second.store.getState().train();
    const names = async () => (await storage.trainings.list()).map(({ order }) => order.record.name);
    expect((await names()).sort()).toEqual(['glass bird', 'tin robot']);
    await first.store.getState().resumeTraining(firstCut(first));
    expect(await names()).toEqual(['glass bird']);
    const learned = first.store.getState().concepts.find(({ name }) => name === 'tin robot');
    expect(learned).toMatchObject({ step: 30 });
  });

  it('removing everything leaves the training of the other', async () => {
    const storage = openMemoryStorage();
    const first = await startStudio({ ...dyingClient(15), storage });
    await fillIn(first);
    await first.store.getState().train();
    const lock = { hold: () => Promise.reject(new AppError('training.otherTab', 'Another tab.')) };
    const second = await startStudio({ storage, lock });
    await second.store.getState().removeEverything();
    expect(await storage.trainings.list()).toHaveLength(1);
  });
});

const countingFrom = (first: number) => {
  let id = first;
  return () => `id-${id++}`;
};

describe('storage that is full', () => {
  const full = () => Promise.reject(new AppError('storage.full', 'It is full.'));
  const fullStorage = () => {
    const storage = openMemoryStorage();
    return { ...storage, trainings: { ...storage.trainings, begin: full, keep: full } };
  };

  it('does not keep a training from learning, and is told once', async () => {
    const studio = await startStudio({ storage: fullStorage() });
    await fillIn(studio);
    await studio.store.getState().train();
    expect(studio.store.getState().problems.training).toMatchObject([
      { code: 'storage.full', message: expect.stringContaining('keep this tab open until it is done') },
    ]);
    expect(studio.store.getState().concepts[0]).toMatchObject({ step: 30 });
  });

  it('costs no step of a training whose worker dies while the page lives', async () => {
    const { client, train } = dyingClient(15);
    const studio = await startStudio({ client, storage: fullStorage() });
    await fillIn(studio);
    await studio.store.getState().train();
    await studio.store.getState().resumeTraining(firstCut(studio));
    expect(train.mock.calls[1]![0].losses).toHaveLength(12);
    expect(studio.store.getState().concepts[0]).toMatchObject({ step: 30 });
  });
});

it('asks for no more steps than a concept can have', async () => {
  const studio = await startStudio();
  await fillIn(studio);
  await studio.store.getState().train();
  const [concept] = studio.store.getState().concepts;
  studio.store.setState({ concepts: [{ ...concept!, step: MAX_TRAINED_STEPS - 20 }] });
  await studio.store.getState().trainFurther(concept!.id);
  expect(studio.store.getState().fieldProblems.trainSteps).toContain('at most 20 more');
});
