/**
 * One file over HTTP into a PartialFile, whatever the server does: connections that stall or break are taken up again where they
 * stopped (`Range`), busy servers are asked again later, servers that ignore ranges are read from the start.
 *
 * A continued file must be of the content it began with. Where the plan has a hash, that proves it in the end; elsewhere the
 * answer's ETag or modification time must be the noted one. They are compared here rather than sent as `If-Range`, which
 * would make browsers ask servers of other origins for permission first, and many do not give it.
 */
import { AppError } from '../lib/errors.ts';
import type { PartialFile } from './partialFile.ts';
import type { PlannedFile } from './plan.ts';
import { ANONYMOUS, lengthIn, totalIn } from './request.ts';
import { cancelled, isPassing, pause, retryAfter, waitBefore, type RetrySettings } from './retry.ts';
import { Silence } from './silence.ts';

export interface Download {
  readonly url: string;
  readonly file: PlannedFile;
  readonly partial: PartialFile;
  readonly retry: RetrySettings;
  readonly signal: AbortSignal | undefined;
  /** ETag or modification time that the bytes on the disk belong to; null when there are none or nobody said. */
  readonly state: () => string | null;
  readonly noteState: (state: string | null) => Promise<void>;
  readonly onBytes: () => void;
  readonly onWait: (reason: string) => void;
}

/** Why a try ended before the file did, and how long the server asks to wait. */
interface Setback {
  readonly reason: string;
  readonly waitMs: number | null;
}

/** A server that never takes a file up where it broke off is given this many starts. */
const MOST_RESTARTS = 5;

/**
 * Throws `download.missing`, `download.denied`, `download.size`, `download.stopped` when trying again did not help (what there is
 * can be gone on with), what a full disk throws, and `cancelled`.
 */
export async function download(job: Download): Promise<void> {
  const { partial, file, retry, signal } = job;
  let [barren, restarts, rangeRefused] = [0, 0, false];
  while (partial.bytes < file.bytes) {
    const before = partial.bytes;
    const setback = await attempt(job, !rangeRefused);
    if (signal?.aborted) throw cancelled();
    if (!setback) continue;
    rangeRefused = setback === UNSATISFIABLE;
    restarts += partial.bytes < before ? 1 : 0;
    barren = partial.bytes > before ? 0 : barren + 1;
    if (barren >= retry.tries || restarts >= MOST_RESTARTS) throw stopped(file, setback);
    job.onWait(setback.reason);
    await pause(waitBefore(barren, retry, setback.waitMs), signal);
  }
}

/** One request, for what is still lacking. Null when it brought all of it. */
async function attempt(job: Download, ranged: boolean): Promise<Setback | null> {
  const silence = new Silence(job.retry.stallMs, job.signal);
  try {
    // Asked for from byte 0 too: a range makes browsers ask for the file as it is, not compressed.
    const headers: HeadersInit = ranged ? { Range: `bytes=${job.partial.bytes}-` } : {};
    const answer = await fetch(job.url, { ...ANONYMOUS, headers, signal: silence.signal }).catch(() => null);
    if (!answer) return setback(silence);
    return (await refuse(job, answer)) ?? (await receive(job, answer, silence));
  } finally {
    silence.end();
  }
}

const UNSATISFIABLE: Setback = { reason: 'The server could not go on where it stopped.', waitMs: 0 };
const CHANGED: Setback = { reason: 'The file has changed on the server.', waitMs: 0 };
const ENDED_EARLY: Setback = { reason: 'The connection ended early.', waitMs: null };

/** Looks at an answer before its body is read, and puts the file where the body belongs. Null when it may be read. */
async function refuse(job: Download, answer: Response): Promise<Setback | null> {
  const { partial, file } = job;
  if (answer.status === 416) return startOver(job, UNSATISFIABLE);
  if (isPassing(answer.status))
    return { reason: `The server is busy (answer ${answer.status}).`, waitMs: retryAfter(answer) };
  if (!answer.ok) throw denied(job, answer.status);
  const continued = answer.status === 206;
  const total = continued ? totalIn(answer) : lengthIn(answer);
  if (total !== null && total !== file.bytes) throw sizeChanged(file, total);
  if (continued && partial.bytes > 0) return isSameContent(job, answer) ? null : startOver(job, CHANGED);
  await startOver(job, CHANGED);
  await job.noteState(stateOf(answer));
  return null;
}

async function startOver(job: Download, setback: Setback): Promise<Setback> {
  job.partial.restart();
  job.onBytes();
  await job.noteState(null);
  return setback;
}

/** Whether the answer goes on exactly where the file stands, with the same content. */
function isSameContent({ partial, file, state }: Download, answer: Response): boolean {
  const start = /^bytes (\d+)-/.exec(answer.headers.get('content-range') ?? '')?.[1];
  const length = lengthIn(answer);
  if (start !== undefined && Number(start) !== partial.bytes) return false;
  if (length !== null && length !== file.bytes - partial.bytes) return false;
  return file.sha256 !== null || file.gitBlob !== null || (state() !== null && state() === stateOf(answer));
}

/** What identifies the content: a strong ETag, else when it was changed. */
function stateOf({ headers }: Response): string | null {
  const tag = headers.get('etag');
  return tag && !tag.startsWith('W/') ? tag : headers.get('last-modified');
}

async function receive(job: Download, answer: Response, silence: Silence): Promise<Setback | null> {
  const reader = answer.body!.getReader();
  for (;;) {
    const piece = await reader.read().catch(() => null);
    if (!piece) return setback(silence);
    if (piece.done) return job.partial.bytes < job.file.bytes ? ENDED_EARLY : null;
    silence.broken();
    job.partial.append(piece.value);
    job.onBytes();
  }
}

const setback = ({ isTooLong }: Silence): Setback => ({
  reason: isTooLong ? 'The server went silent.' : 'The connection broke.',
  waitMs: null,
});

function denied({ url, file }: Download, status: number): AppError {
  if (status === 404 || status === 410)
    return new AppError(
      'download.missing',
      `Expected ${file.path} at ${url}, found answer ${status}: it is not there any more. Look at the model again.`,
    );
  return new AppError(
    'download.denied',
    `Expected ${file.path} at ${url}, found answer ${status}. If it asks for a login, download the model in the browser and drop its folder here.`,
  );
}

function sizeChanged({ path, bytes }: PlannedFile, found: number): AppError {
  return new AppError(
    'download.size',
    `Expected ${bytes} bytes of ${path}, found ${found}. It has changed since it was looked at: look again.`,
  );
}

function stopped({ path }: PlannedFile, { reason }: Setback): AppError {
  return new AppError(
    'download.stopped',
    `Could not get all of ${path}: ${reason} What has come is kept; go on when the connection is back.`,
  );
}
