/** Site data that is deleted while the page is open: stored again, or offered as files. */
import { expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { openMemoryStorage, type StudioStorage } from '../storage/storage.ts';
import {
  fillIn,
  scriptedClient,
  startStudio,
  trainQuickly,
  type TestStudio,
} from './testing/scriptedStudio.ts';

interface Emptied extends TestStudio {
  /** Deletes everything, as another tab would. */
  empty(): Promise<void>;
}

async function taught(storage: StudioStorage, client = scriptedClient()): Promise<Emptied> {
  const noted: { lost: () => void } = { lost: () => undefined };
  const watched = { ...storage, onLost: (listener: () => void) => void (noted.lost = listener) };
  const studio = await startStudio({ storage: watched, client });
  await fillIn(studio);
  await studio.store.getState().train();
  return {
    ...studio,
    empty: async () => {
      await Promise.all([storage.concepts.clear(), storage.results.clear(), storage.trainings.clear()]);
      noted.lost();
      await vi.waitFor(() => expect(studio.store.getState().problems.library).not.toEqual([]));
    },
  };
}

const messages = ({ store }: TestStudio) =>
  store
    .getState()
    .problems.library.map(({ message }) => message)
    .join(' ');

it('stores concepts and draft again, and says so', async () => {
  const storage = openMemoryStorage();
  const studio = await taught(storage);
  await studio.empty();
  expect((await storage.concepts.list()).records.map(({ name }) => name)).toEqual(['tin robot']);
  expect((await storage.draftForm.load())?.name).toBe('tin robot');
  expect((await storage.draftPictures.load())?.pictures).toHaveLength(1);
  expect(messages(studio)).toContain('has been stored again');
});

it('keeps them on the page and asks to export them where they cannot be stored', async () => {
  const storage = openMemoryStorage();
  const put = vi.fn(storage.concepts.put);
  const studio = await taught({ ...storage, concepts: { ...storage.concepts, put } });
  put.mockRejectedValue(new AppError('storage.full', 'Full.'));
  await studio.empty();
  expect(studio.store.getState().concepts).toHaveLength(1);
  await vi.waitFor(() => expect(messages(studio)).toContain('export your concepts as files'));
});

it('names what was deleted for good', async () => {
  const storage = openMemoryStorage();
  const studio = await taught(storage);
  const [concept] = studio.store.getState().concepts;
  vi.spyOn(concept!.file, 'arrayBuffer').mockRejectedValue(new DOMException('gone', 'NotFoundError'));
  await studio.empty();
  expect(messages(studio)).toContain('Gone for good: “tin robot”.');
  expect(studio.store.getState()).toMatchObject({ concepts: [], form: { conceptId: null } });
});

it('stores a training that was cut short again, which then goes on where it was', async () => {
  const storage = openMemoryStorage();
  const train = vi.fn(scriptedClient().train).mockImplementationOnce(async (request, options) => {
    const short = { ...request, settings: { ...request.settings, steps: 15 } };
    await trainQuickly(short, options!.onEvent!, options!.signal!);
    throw new AppError('worker.died', 'It stopped.');
  });
  const studio = await taught(storage, scriptedClient({ train }));
  await studio.empty();
  expect(await storage.trainings.list()).toMatchObject([{ checkpoint: { step: 12 } }]);
});
