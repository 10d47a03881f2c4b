import { describe, expect, it, vi } from 'vitest';
import { AppError } from '../lib/errors.ts';
import { createLikeness, STOPS, type Frame, type Scene } from './likeness.ts';

const scene: Scene = { key: 'scene', steps: 20 };

function setUp(render?: (truncation: number, steps: number, signal: AbortSignal) => Promise<Blob>) {
  const frames: Frame<Scene>[] = [];
  const errors: unknown[] = [];
  const renders: [number, number][] = [];
  const likeness = createLikeness<Scene>({
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
  return { likeness, seen, renders, errors };
}

describe('createLikeness', () => {
  it('shows a draft, then the full picture, then works ahead', async () => {
    const { likeness, seen, renders } = setUp();
    await likeness.show(scene, 50);
    expect(seen()).toEqual([
      [50, 'draft'],
      [50, 'full'],
    ]);
    expect(renders.slice(2).map(([truncation]) => truncation)).toEqual([...STOPS]);
  });

  it('shows what is cached at once, without a render', async () => {
    const { likeness, seen, renders } = setUp();
    await likeness.show(scene, 50);
    const before = renders.length;
    await likeness.show(scene, 50);
    expect(seen().at(-1)).toEqual([50, 'full']);
    expect(renders).toHaveLength(before);
  });

  it('stands the nearest stop in for what is not cached', async () => {
    const { likeness, seen } = setUp();
    likeness.remember(scene, 128, new Blob());
    await likeness.show(scene, 100);
    expect(seen()[0]).toEqual([128, 'near']);
  });

  it('cancels the wish before, whose frames never come', async () => {
    const { likeness, seen, errors } = setUp(
      (truncation, _, signal) =>
        new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(new AppError('cancelled', 'Cancelled.')));
          if (truncation !== 10) resolve(new Blob());
        }),
    );
    const stale = likeness.show(scene, 10);
    await vi.waitFor(() => Promise.resolve());
    await Promise.all([stale, likeness.show(scene, 90)]);
    expect(seen().some(([truncation]) => truncation === 10)).toBe(false);
    expect(seen().at(-1)).toEqual([90, 'full']);
    expect(errors).toEqual([]);
  });

  it('reports a failed render', async () => {
    const { likeness, errors } = setUp(() => Promise.reject(new AppError('worker.died', 'It stopped.')));
    await likeness.show(scene, 10);
    expect(errors).toHaveLength(1);
  });
});
