/** Lets one tab at a time train, by the Web Locks API: two would share the processor and both crawl. */
import { AppError } from '../lib/errors.ts';

export interface TrainingLock {
  /** Runs the work while holding the lock. Throws `training.otherTab` when another tab holds it. */
  hold<Value>(work: () => Promise<Value>): Promise<Value>;
}

const NAME = 'neti-studio-training';

function held(): AppError {
  return new AppError(
    'training.otherTab',
    'Another tab of the studio is training. Let it finish or stop it there, then press Train concept again.',
  );
}

/** The browser's lock; without Web Locks (a page that is not served securely) every tab may train. */
export function browserLock(locks: LockManager | undefined): TrainingLock {
  if (locks === undefined) return { hold: (work) => work() };
  return {
    hold: (work) =>
      locks.request(NAME, { ifAvailable: true }, (lock) => {
        if (lock === null) throw held();
        return work();
      }),
  };
}
