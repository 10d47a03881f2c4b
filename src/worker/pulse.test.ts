/** A worker's pulse: missed within seconds when idle, never asked for in a long step. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchPulse } from './pulse.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise(() => undefined);

it('notices within 10 s that an idle worker ended', async () => {
  const onSilence = vi.fn();
  const stop = watchPulse(never, () => true, onSilence);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(onSilence).toHaveBeenCalled();
  stop();
  onSilence.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(onSilence).not.toHaveBeenCalled();
});

it('leaves one alone that answers', async () => {
  const onSilence = vi.fn();
  watchPulse(
    () => Promise.resolve(),
    () => true,
    onSilence,
  );
  await vi.advanceTimersByTimeAsync(600_000);
  expect(onSilence).not.toHaveBeenCalled();
});

it('raises no alarm in a step of ten minutes, nor over a ping that waited behind it', async () => {
  let idle = false;
  let answer: () => void = () => undefined;
  const onSilence = vi.fn();
  const ping = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  watchPulse(ping, () => idle, onSilence);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(ping).not.toHaveBeenCalled();
  idle = true;
  await vi.advanceTimersByTimeAsync(4000);
  answer();
  await vi.advanceTimersByTimeAsync(1000);
  expect(onSilence).not.toHaveBeenCalled();
});
