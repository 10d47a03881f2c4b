/** A new version is told of, and taken only while nothing is trained. */
import { expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { startStudio } from './testing/scriptedStudio.ts';

async function withUpdate(more: Parameters<typeof startStudio>[0] = {}) {
  let ready: () => void = () => undefined;
  const apply = vi.fn();
  const updates = { onReady: (tell: () => void) => void (ready = tell), apply };
  const { store } = await startStudio({ updates, ...more });
  return { store, apply, ready: () => ready() };
}

it('tells of a new version and takes it on demand', async () => {
  const { store, apply, ready } = await withUpdate();
  expect(store.getState().updateReady).toBe(false);
  ready();
  expect(store.getState().updateReady).toBe(true);
  expect(store.getState().announcement).toContain('new version');
  await store.getState().applyUpdate();
  expect(apply).toHaveBeenCalledOnce();
});

it('waits while this tab or another one trains', async () => {
  const { store, apply } = await withUpdate({
    lock: { hold: () => Promise.reject(new AppError('training.otherTab', 'Another tab is training.')) },
  });
  await store.getState().applyUpdate();
  expect(store.getState().problems.page[0]?.message).toContain('Another tab');
  const here = await withUpdate();
  here.store.setState({ training: { conceptId: 'a' } as never });
  await here.store.getState().applyUpdate();
  expect(here.store.getState().problems.page[0]).toMatchObject({ code: 'update.busy' });
  expect([apply.mock.calls.length, here.apply.mock.calls.length]).toEqual([0, 0]);
});
