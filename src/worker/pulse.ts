/**
 * Whether a worker that has nothing to do still lives, where there are no locks to tell (pages that are not served securely). One
 * that computes is not asked: a step of a large model may keep it from answering for minutes.
 */
const PERIOD = 3000;
/** Periods without an answer; a computer that slept wakes within one. */
const PATIENCE = 2;

/** Calls `onSilence` within 9 s of the worker's end. Returns what stops the watch. */
export function watchPulse(
  ping: () => Promise<unknown>,
  isIdle: () => boolean,
  onSilence: () => void,
): () => void {
  let silence: number | null = null;
  const timer = setInterval(() => {
    if (silence !== null) {
      silence += 1;
      if (silence >= PATIENCE) onSilence();
    } else if (isIdle()) {
      silence = 0;
      void ping().then(() => (silence = null));
    }
  }, PERIOD);
  return () => clearInterval(timer);
}
