/** The slider’s renders, on a renderer that takes no time. */
import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { stopsOf, TruncationRenders, type Frame, type Series } from './truncationRenders.ts';

const SERIES: Series = { key: 'series', steps: 20, hidden: 128 };

function setUp(render?: (truncation: number, steps: number, signal: AbortSignal) => Promise<Blob>) {
  const frames: Frame<Series>[] = [];
  const errors: unknown[] = [];
  const renders: [number, number][] = [];
  const renderer = new TruncationRenders<Series>({
    render: (_, truncation, steps, signal) => {
      renders.push([truncation, steps]);
      return render?.(truncation, steps, signal) ?? Promise.resolve(new Blob());
    },
    onFrame: (frame) => frames.push(frame),
    onError: (error) => errors.push(error),
    mayWorkAhead: () => true,
    pause: () => Promise.resolve(),
  });
  const seen = () => frames.map(({ truncation, quality }) => [truncation, quality]);
  return { renderer, seen, renders, errors };
}

describe('the stops', () => {
  it.each([
    [128, [128, 1, 16, 64, 4, 32, 96]],
    [64, [64, 1, 8, 32, 2, 16, 48]],
    [1, [1]],
  ])('of %i units begin with all and with one', (hidden, stops) => {
    expect(stopsOf(hidden)).toEqual(stops);
  });
});

describe('TruncationRenders', () => {
  it('shows a draft, then the full picture, then works ahead', async () => {
    const { renderer, seen, renders } = setUp();
    await renderer.show(SERIES, 50);
    expect(seen()).toEqual([
      [50, 'draft'],
      [50, 'full'],
    ]);
    expect(renders.slice(2).map(([truncation]) => truncation)).toEqual(stopsOf(128));
  });

  it('begins the full picture when the slider has rested, the time of the draft included', async () => {
    const pauses: number[] = [];
    const renderer = new TruncationRenders<Series>({
      render: async () => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        return new Blob();
      },
      onFrame: () => undefined,
      onError: () => undefined,
      mayWorkAhead: () => false,
      pause: (milliseconds) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
    });
    await renderer.show(SERIES, 50);
    expect(pauses[0]).toBeGreaterThan(0);
    expect(pauses[1]).toBe(0);
  });

  it('shows what is cached at once, without a render', async () => {
    const { renderer, seen, renders } = setUp();
    await renderer.show(SERIES, 50);
    const before = renders.length;
    await renderer.show(SERIES, 50);
    expect(seen().at(-1)).toEqual([50, 'full']);
    expect(renders).toHaveLength(before);
  });

  it('stands the nearest stop in for what is not cached', async () => {
    const { renderer, seen } = setUp();
    renderer.remember(SERIES, 128, new Blob());
    await renderer.show(SERIES, 100);
    expect(seen()[0]).toEqual([128, 'near']);
  });

  it('cancels the wish before, whose frames never come', async () => {
    const { renderer, seen, errors } = setUp(
      (truncation, _, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Cancelled.')));
          if (truncation !== 10) resolve(new Blob());
        }),
    );
    const stale = renderer.show(SERIES, 10);
    await vi.waitFor(() => Promise.resolve());
    await Promise.all([stale, renderer.show(SERIES, 90)]);
    expect(seen().some(([truncation]) => truncation === 10)).toBe(false);
    expect(seen().at(-1)).toEqual([90, 'full']);
    expect(errors).toEqual([]);
  });

  it('reports a failed render', async () => {
    const { renderer, errors } = setUp(() => Promise.reject(new AppError('worker.died', 'It stopped.')));
    await renderer.show(SERIES, 10);
    expect(errors).toHaveLength(1);
  });
});
