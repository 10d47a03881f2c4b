/**
 * The slider's renders: the same seed at another truncation. The newest wish wins and cancels the one before. What
 * is cached is shown at once, the nearest cached stop stands in for what is not, then comes a draft of few steps, and
 * when the slider rests the full picture. Idle time goes into drafts of a few stops ahead.
 */
import { toPlainError } from '../lib/errors.ts';

export const DRAFT_STEPS = 6;
/** Truncations rendered ahead, the ends first: they show what the slider is for. */
export const STOPS = [128, 1, 16, 64, 4, 32, 96] as const;
/** Pauses of a drag shorter than this start no render; a rest longer than the second starts the full one. */
const DRAG_MS = 50;
const REST_MS = 350;
const MOST_CACHED = 400;

/** A picture but for its truncation; `key` tells scenes apart. */
export interface Scene {
  readonly key: string;
  readonly steps: number;
}

export interface Frame<S extends Scene> {
  readonly scene: S;
  readonly picture: Blob;
  readonly truncation: number;
  readonly quality: 'near' | 'draft' | 'full';
}

export interface LikenessOptions<S extends Scene> {
  readonly render: (scene: S, truncation: number, steps: number, signal: AbortSignal) => Promise<Blob>;
  readonly onFrame: (frame: Frame<S>) => void;
  readonly onError: (error: unknown) => void;
  /** False while the worker has something better to do. */
  readonly mayWorkAhead: () => boolean;
  readonly pause?: (milliseconds: number) => Promise<void>;
}

export interface Likeness<S extends Scene> {
  show(scene: S, truncation: number): Promise<void>;
  /** Renders stops ahead until something else is wanted. */
  workAhead(scene: S): Promise<void>;
  /** Tells of a picture that was rendered elsewhere. */
  remember(scene: S, truncation: number, picture: Blob): void;
  stop(): void;
}

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export function createLikeness<S extends Scene>(options: LikenessOptions<S>): Likeness<S> {
  const { render, onFrame, onError, mayWorkAhead, pause = wait } = options;
  const cache = new Map<string, Blob>();
  let controller = new AbortController();

  const keyOf = (scene: S, truncation: number, steps: number) => `${truncation}|${steps}|${scene.key}`;
  const cached = (scene: S, truncation: number, steps: number) => cache.get(keyOf(scene, truncation, steps));
  const best = (scene: S, truncation: number) =>
    cached(scene, truncation, scene.steps) ?? cached(scene, truncation, DRAFT_STEPS);

  function remember(scene: S, truncation: number, steps: number, picture: Blob): void {
    cache.set(keyOf(scene, truncation, steps), picture);
    if (cache.size > MOST_CACHED) cache.delete(cache.keys().next().value!);
  }

  function restart(): AbortSignal {
    controller.abort();
    controller = new AbortController();
    return controller.signal;
  }

  function showNearest(scene: S, truncation: number): void {
    const distance = (stop: number) => Math.abs(Math.log(stop / truncation));
    const stops = Array.from({ length: 128 }, (_, index) => index + 1).filter((stop) => best(scene, stop));
    const nearest = stops.toSorted((a, b) => distance(a) - distance(b))[0];
    if (nearest === undefined) return;
    const quality = nearest === truncation ? 'draft' : 'near';
    onFrame({ scene, picture: best(scene, nearest)!, truncation: nearest, quality });
  }

  async function renderOnce(scene: S, truncation: number, steps: number, signal: AbortSignal): Promise<Blob> {
    const known = cached(scene, truncation, steps);
    if (known !== undefined) return known;
    const picture = await render(scene, truncation, steps, signal);
    remember(scene, truncation, steps, picture);
    return picture;
  }

  async function refine(scene: S, truncation: number, signal: AbortSignal): Promise<void> {
    const frames = [
      { after: DRAG_MS, steps: Math.min(DRAFT_STEPS, scene.steps), quality: 'draft' },
      { after: REST_MS, steps: scene.steps, quality: 'full' },
    ] as const;
    for (const { after, steps, quality } of frames) {
      await pause(after);
      if (signal.aborted) return;
      const picture = await renderOnce(scene, truncation, steps, signal);
      if (signal.aborted) return;
      onFrame({ scene, picture, truncation, quality });
    }
  }

  async function ahead(scene: S, signal: AbortSignal): Promise<void> {
    for (const stop of STOPS) {
      await pause(REST_MS);
      if (signal.aborted || !mayWorkAhead()) return;
      if (best(scene, stop) === undefined)
        await renderOnce(scene, stop, Math.min(DRAFT_STEPS, scene.steps), signal);
    }
  }

  async function guarded(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (toPlainError(error).code !== 'cancelled') onError(error);
    });
  }

  return {
    show: (scene, truncation) =>
      guarded(async () => {
        const signal = restart();
        const full = cached(scene, truncation, scene.steps);
        if (full !== undefined) onFrame({ scene, picture: full, truncation, quality: 'full' });
        else {
          showNearest(scene, truncation);
          await refine(scene, truncation, signal);
        }
        await ahead(scene, signal);
      }),
    workAhead: (scene) => guarded(() => ahead(scene, restart())),
    remember: (scene, truncation, picture) => remember(scene, truncation, scene.steps, picture),
    stop: () => void restart(),
  };
}
