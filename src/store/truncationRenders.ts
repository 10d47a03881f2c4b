/**
 * The slider's renders: the same seed at another truncation. The newest wish wins and cancels the one before. What
 * is cached is shown at once, the nearest cached stop stands in for what is not, then comes a draft of few steps, and
 * when the slider rests the full picture. Idle time goes into drafts of a few stops ahead.
 */
import { toPlainError } from '../lib/errors.ts';

const DRAFT_STEPS = 6;
/** Shares of the units that are rendered ahead, the ends first: they show what the slider is for. */
const STOPS = [1, 0, 1 / 8, 1 / 2, 1 / 32, 1 / 4, 3 / 4] as const;
/** Pauses of a drag shorter than this start no render; a rest longer than the second starts the full one. */
const DRAG_MS = 50;
const REST_MS = 350;
const MOST_CACHED = 400;

/** Pictures that differ in their truncation alone; `key` tells one series from another. */
export interface Series {
  readonly key: string;
  readonly steps: number;
  /** Hidden units of the concept: its largest truncation. */
  readonly hidden: number;
}

/** The truncations of a concept of so many hidden units that are rendered ahead. */
export function stopsOf(hidden: number): readonly number[] {
  return [...new Set(STOPS.map((share) => Math.max(1, Math.round(share * hidden))))];
}

export interface Frame<S extends Series> {
  readonly series: S;
  readonly picture: Blob;
  readonly truncation: number;
  readonly quality: 'near' | 'draft' | 'full';
}

export interface RenderOptions<S extends Series> {
  readonly render: (series: S, truncation: number, steps: number, signal: AbortSignal) => Promise<Blob>;
  readonly onFrame: (frame: Frame<S>) => void;
  readonly onError: (error: unknown) => void;
  /** False while the worker has something better to do. */
  readonly mayWorkAhead: () => boolean;
  readonly pause?: (milliseconds: number) => Promise<void>;
}

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

const keyAt = ({ key }: Series, truncation: number, steps: number) => `${truncation}|${steps}|${key}`;

export class TruncationRenders<S extends Series> {
  private readonly cache = new Map<string, Blob>();
  private controller = new AbortController();

  constructor(private readonly options: RenderOptions<S>) {}

  /** Shows the series at this truncation, as well as it can be had by now, until it is had in full. Never rejects. */
  show(series: S, truncation: number): Promise<void> {
    return this.guarded(async () => {
      const signal = this.restart();
      const full = this.cached(series, truncation, series.steps);
      if (full !== undefined) this.options.onFrame({ series, picture: full, truncation, quality: 'full' });
      else {
        this.showNearest(series, truncation);
        await this.refine(series, truncation, signal);
      }
      await this.renderStops(series, signal);
    });
  }

  /** Renders stops ahead until something else is wanted. Never rejects. */
  workAhead(series: S): Promise<void> {
    return this.guarded(() => this.renderStops(series, this.restart()));
  }

  /** Tells of a picture of `steps` steps that was rendered, here or elsewhere. */
  remember(series: S, truncation: number, picture: Blob, steps = series.steps): void {
    this.cache.set(keyAt(series, truncation, steps), picture);
    if (this.cache.size > MOST_CACHED) this.cache.delete(this.cache.keys().next().value!);
  }

  stop(): void {
    this.restart();
  }

  private restart(): AbortSignal {
    this.controller.abort();
    this.controller = new AbortController();
    return this.controller.signal;
  }

  private cached(series: S, truncation: number, steps: number): Blob | undefined {
    return this.cache.get(keyAt(series, truncation, steps));
  }

  private best(series: S, truncation: number): Blob | undefined {
    return this.cached(series, truncation, series.steps) ?? this.cached(series, truncation, DRAFT_STEPS);
  }

  private showNearest(series: S, truncation: number): void {
    const distance = (stop: number) => Math.abs(Math.log(stop / truncation));
    const stops = Array.from({ length: series.hidden }, (_, index) => index + 1).filter((stop) =>
      this.best(series, stop),
    );
    const nearest = stops.toSorted((a, b) => distance(a) - distance(b))[0];
    if (nearest === undefined) return;
    const quality = nearest === truncation ? 'draft' : 'near';
    this.options.onFrame({ series, picture: this.best(series, nearest)!, truncation: nearest, quality });
  }

  private async refine(series: S, truncation: number, signal: AbortSignal): Promise<void> {
    const { pause = wait, onFrame } = this.options;
    const frames = [
      { after: DRAG_MS, steps: Math.min(DRAFT_STEPS, series.steps), quality: 'draft' },
      { after: REST_MS, steps: series.steps, quality: 'full' },
    ] as const;
    const wished = performance.now();
    for (const { after, steps, quality } of frames) {
      // The draft was drawn in the meantime.
      await pause(Math.max(0, after - (performance.now() - wished)));
      if (signal.aborted) return;
      const picture = await this.renderOnce(series, truncation, steps, signal);
      if (signal.aborted) return;
      onFrame({ series, picture, truncation, quality });
    }
  }

  private async renderStops(series: S, signal: AbortSignal): Promise<void> {
    const { pause = wait, mayWorkAhead } = this.options;
    for (const stop of stopsOf(series.hidden)) {
      await pause(REST_MS);
      if (signal.aborted || !mayWorkAhead()) return;
      if (this.best(series, stop) === undefined)
        await this.renderOnce(series, stop, Math.min(DRAFT_STEPS, series.steps), signal);
    }
  }

  private async renderOnce(series: S, truncation: number, steps: number, signal: AbortSignal): Promise<Blob> {
    const known = this.cached(series, truncation, steps);
    if (known !== undefined) return known;
    const picture = await this.options.render(series, truncation, steps, signal);
    this.remember(series, truncation, picture, steps);
    return picture;
  }

  private async guarded(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (toPlainError(error).code !== 'cancelled') this.options.onError(error);
    });
  }
}
