/** How far a fetch is, told to the page a few times a second, with the time left at the pace of the last seconds. */
import type { PlannedFile } from './plan.ts';

export interface IntakeProgress {
  /** Checking what an earlier try left, receiving, waiting before another try, or done with the file. */
  readonly status: 'checking' | 'receiving' | 'waiting' | 'done';
  readonly file: string;
  /** Bytes of this file, and of all files. */
  readonly fileLoaded: number;
  readonly fileTotal: number;
  readonly loaded: number;
  readonly total: number;
  /** Null until the pace is known, and while waiting. */
  readonly secondsLeft: number | null;
  /** Why it waits, in plain words. */
  readonly reason: string | null;
}

const WINDOW_MS = 10_000;
const SHORTEST_MS = 500;
const TELL_EVERY_MS = 100;

/** Bytes a second over the last ten seconds. */
class Pace {
  private samples: { readonly at: number; readonly bytes: number }[] = [];

  /** Null until half a second has been seen. */
  measure(bytes: number, at: number): number | null {
    // Bytes are taken back when a file starts over: what was measured before says nothing then.
    if (bytes < (this.samples.at(-1)?.bytes ?? 0)) this.samples = [];
    this.samples.push({ at, bytes });
    while (this.samples.length > 2 && at - this.samples[0]!.at > WINDOW_MS) this.samples.shift();
    const first = this.samples[0]!;
    return at - first.at < SHORTEST_MS ? null : ((bytes - first.bytes) / (at - first.at)) * 1000;
  }

  forget(): void {
    this.samples = [];
  }
}

export class Progress {
  private done = 0;
  private fileLoaded = 0;
  private toldAt = -Infinity;
  private readonly pace = new Pace();

  constructor(
    private readonly total: number,
    private readonly tell: (progress: IntakeProgress) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** So much of the file was on the disk already. */
  checking(file: PlannedFile, fileLoaded: number): void {
    this.fileLoaded = fileLoaded;
    this.pace.forget();
    this.report('checking', file, null, null);
  }

  receiving(file: PlannedFile, fileLoaded: number): void {
    this.fileLoaded = fileLoaded;
    const bytesPerSecond = this.pace.measure(this.done + fileLoaded, this.now());
    const left = bytesPerSecond ? (this.total - this.done - fileLoaded) / bytesPerSecond : null;
    this.report('receiving', file, left, null);
  }

  waiting(file: PlannedFile, reason: string): void {
    this.pace.forget();
    this.toldAt = -Infinity;
    this.report('waiting', file, null, reason);
  }

  finished(file: PlannedFile): void {
    this.fileLoaded = file.bytes;
    this.toldAt = -Infinity;
    this.report('done', file, null, null);
    this.done += file.bytes;
    this.fileLoaded = 0;
  }

  private report(
    status: IntakeProgress['status'],
    { path, bytes }: PlannedFile,
    secondsLeft: number | null,
    reason: string | null,
  ): void {
    if (this.now() - this.toldAt < TELL_EVERY_MS) return;
    this.toldAt = this.now();
    const { fileLoaded, total } = this;
    const loaded = this.done + fileLoaded;
    this.tell({ status, file: path, fileLoaded, fileTotal: bytes, loaded, total, secondsLeft, reason });
  }
}
