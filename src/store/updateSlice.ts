/** A new version of the page: told of when it lies ready, taken when the user says so, never while something is trained. */
import { AppError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import type { UpdateSlice } from './state.ts';

export function createUpdateSlice(context: Context): UpdateSlice {
  const { deps, set, messages } = context;
  deps.updates.onReady(() => {
    set({ updateReady: true });
    messages.announce('A new version of the studio is ready.');
  });
  return { updateReady: false, applyUpdate: () => applyUpdate(context) };
}

async function applyUpdate({ deps, get, messages }: Context): Promise<void> {
  try {
    if (get().training !== null) throw busy('A training is running');
    await deps.lock
      .hold(() => Promise.resolve(deps.updates.apply()))
      .catch(() => {
        throw busy('Another tab of the studio is training');
      });
  } catch (error) {
    messages.report('page', error);
  }
}

const busy = (why: string) =>
  new AppError('update.busy', `${why}. Let it finish or stop it, then take the new version.`);
