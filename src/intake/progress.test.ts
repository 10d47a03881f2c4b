/** How a fetch tells how far it is, and the time left. */
import { describe, expect, it } from 'vitest';
import type { PlannedFile } from './plan.ts';
import { Progress, type IntakeProgress } from './progress.ts';

const file = (bytes: number): PlannedFile => ({
  path: `${bytes}`,
  bytes,
  from: 'https://example.org/',
  sha256: null,
  gitBlob: null,
});

/** A fetch of 3000 bytes on a clock that the test moves. */
function started() {
  const events: IntakeProgress[] = [];
  const clock = { now: 0 };
  const progress = new Progress(
    3000,
    (event) => events.push(event),
    () => clock.now,
  );
  return { events, clock, progress, last: () => events.at(-1)! };
}

describe('progress', () => {
  it('tells the time left at the pace of the last seconds', () => {
    const { clock, progress, last } = started();
    const big = file(3000);
    progress.receiving(big, 0);
    expect(last().secondsLeft).toBeNull();
    for (let second = 1; second <= 10; second++) {
      clock.now = second * 1000;
      progress.receiving(big, second * 100);
    }
    expect(last()).toMatchObject({ loaded: 1000, total: 3000, secondsLeft: 20 });
  });

  it('does not take what was on the disk already for pace', () => {
    const { clock, progress, last } = started();
    const big = file(3000);
    progress.checking(big, 2000);
    clock.now = 1000;
    progress.receiving(big, 2000);
    clock.now = 2000;
    progress.receiving(big, 2100);
    expect(last().secondsLeft).toBeCloseTo(9);
  });

  it('counts files that are done, and takes back what starts over', () => {
    const { clock, progress, last } = started();
    progress.finished(file(1000));
    expect(last()).toMatchObject({ status: 'done', loaded: 1000 });
    clock.now = 1000;
    progress.receiving(file(2000), 500);
    expect(last()).toMatchObject({ status: 'receiving', fileLoaded: 500, loaded: 1500 });
    clock.now = 2000;
    progress.receiving(file(2000), 0);
    expect(last()).toMatchObject({ loaded: 1000, secondsLeft: null });
  });

  it('tells a wait at once, and the rest ten times a second at most', () => {
    const { events, progress, last } = started();
    for (let bytes = 0; bytes < 1000; bytes++) progress.receiving(file(3000), bytes);
    expect(events).toHaveLength(1);
    progress.waiting(file(3000), 'Busy.');
    expect(last()).toMatchObject({ status: 'waiting', reason: 'Busy.' });
  });
});
