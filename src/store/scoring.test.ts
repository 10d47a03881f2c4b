/** The judge’s scores, which come after the pictures. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import type { ScoreRequest } from '../worker/api.ts';
import { fillIn, scriptedClient, startStudio } from './testing/scriptedStudio.ts';

async function generated(client = scriptedClient()) {
  const studio = await startStudio({ client });
  await fillIn(studio);
  await studio.store.getState().train();
  studio.store.getState().edit({ prompt: 'A photo of {} on a beach', count: 2 });
  await studio.store.getState().generate();
  return studio;
}

describe('scores', () => {
  it('come after the pictures, from the concept’s pictures and its category, and are kept', async () => {
    const score = vi.fn(({ pictures }: ScoreRequest) =>
      Promise.resolve(pictures.map((_, index) => ({ likeness: 0.5 + index / 10, prompt: 0.6 }))),
    );
    const { store, storage } = await generated(scriptedClient({ score }));
    await vi.waitFor(async () => {
      const { records } = await storage.results.list();
      expect(records.map(({ scores }) => scores?.likeness)).toEqual([0.5, 0.6]);
    });
    expect(store.getState().results.map(({ scores }) => scores?.prompt)).toEqual([0.6, 0.6]);
    const [{ pictures, prompt, given }] = score.mock.calls[0]!;
    expect([pictures.length, prompt, given.length]).toEqual([2, 'A photo of toy on a beach', 1]);
  });

  it('leave what was deleted meanwhile deleted', async () => {
    let answer: () => void = () => undefined;
    const score = ({ pictures }: ScoreRequest) =>
      new Promise<{ likeness: number; prompt: number }[]>((resolve) => {
        answer = () => resolve(pictures.map(() => ({ likeness: 1, prompt: 1 })));
      });
    const { store, storage } = await generated(scriptedClient({ score }));
    const [first] = store.getState().results;
    await store.getState().deleteResults([first!.id]);
    await vi.waitFor(() => {
      answer();
      expect(store.getState().results[0]?.scores).toEqual({ likeness: 1, prompt: 1, each: [] });
    });
    expect((await storage.results.list()).records).toHaveLength(1);
  });

  it('that fail leave the pictures, and say so', async () => {
    const score = () => Promise.reject(new AppError('model.file', 'The judge is not there.'));
    const { store } = await generated(scriptedClient({ score }));
    await vi.waitFor(() =>
      expect(store.getState().problems.create[0]?.message).toBe('The judge is not there.'),
    );
    expect(store.getState().results).toHaveLength(2);
  });

  it('are not asked of a base without a judge', async () => {
    const score = vi.fn(() => Promise.resolve([]));
    const client = scriptedClient({ score });
    await generated({
      ...client,
      open: async () => withoutJudge(await client.open({ root: '', provider: 'auto', model: null })),
    });
    expect(score).not.toHaveBeenCalled();
  });
});

type Opened = Awaited<ReturnType<ReturnType<typeof scriptedClient>['open']>>;
const withoutJudge = (opened: Opened): Opened => ({ ...opened, base: { ...opened.base, judged: false } });
