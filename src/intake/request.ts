/** Small requests while planning: JSON answers that are validated, and sizes of files that are not fetched yet. */
import type { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { cancelled, isPassing, PATIENT, pause, retryAfter, waitBefore, type RetrySettings } from './retry.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly retry?: RetrySettings;
}

/** Nothing of the user goes along with a request for a model's files. */
export const ANONYMOUS = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' } as const;

/**
 * An answer of any status but the passing ones, which are tried again. Throws `download.failed` when there is no answer and
 * `cancelled`.
 */
export async function request(url: string, init: RequestInit, options: RequestOptions): Promise<Response> {
  const { signal, retry = PATIENT } = options;
  for (let tried = 1; ; tried++) {
    const timeout = AbortSignal.timeout(retry.stallMs);
    const given = AbortSignal.any(signal ? [signal, timeout] : [timeout]);
    const answer = await fetch(url, { ...ANONYMOUS, ...init, signal: given }).catch(() => null);
    if (signal?.aborted) throw cancelled();
    if (answer && !isPassing(answer.status)) return answer;
    if (tried >= retry.tries) throw unanswered(url, answer);
    await answer?.body?.cancel();
    await pause(waitBefore(tried, retry, answer && retryAfter(answer)), signal);
  }
}

function unanswered(url: string, answer: Response | null): AppError {
  return new AppError(
    'download.failed',
    `Expected an answer from ${new URL(url).host}, found ${answer ? `status ${answer.status}` : 'none'}. Check the address and the connection, and try again. ` +
      'A server of your own must allow this page to read from it (CORS).',
  );
}

/** A validated JSON answer with its `Link` header. Throws `download.answer` when it is of another form. */
export async function readJsonResponse<T>(answer: Response, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await answer.json().catch(() => null));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError(
    'download.answer',
    `Expected a listing from ${answer.url}, found something else (${issue?.path.join('.') || 'answer'}: ${issue?.message}).`,
  );
}

/** What a server says of a file: its size, or null when there is no such file. Throws `download.size` when it does not tell. */
export async function sizeAt(url: string, options: RequestOptions): Promise<number | null> {
  // A range makes browsers ask for the file as it is: the size is not that of something compressed.
  const answer = await request(url, { headers: { Range: 'bytes=0-0' } }, options);
  await answer.body?.cancel();
  if (!isFile(answer)) return null;
  const told = answer.status === 206 ? totalIn(answer) : lengthIn(answer);
  const size = told ?? lengthIn(await request(url, { method: 'HEAD' }, options));
  if (size !== null) return size;
  throw sizeUntold(url);
}

function sizeUntold(url: string): AppError {
  return new AppError(
    'download.size',
    `Expected the size of ${url} in Content-Length or Content-Range, found neither. Let the server send one, and name it in Access-Control-Expose-Headers.`,
  );
}

/** How a file begins. */
export interface FileStart {
  readonly head: Uint8Array<ArrayBuffer>;
  /** Of the whole file. */
  readonly bytes: number;
  /** Whether the server calls it a page. */
  readonly isPage: boolean;
}

/**
 * The first `length` bytes of a file at most; null when there is none. Throws `download.denied` where a login is asked for,
 * `download.size`, and what `request` throws.
 */
export async function fetchStart(
  url: string,
  length: number,
  options: RequestOptions,
): Promise<FileStart | null> {
  const answer = await request(url, { headers: { Range: `bytes=0-${length - 1}` } }, options);
  if ([401, 403].includes(answer.status)) throw denied(url, answer.status);
  if (!answer.ok) return null;
  const head = await readStart(answer, length).catch(() => {
    throw options.signal?.aborted ? cancelled() : unanswered(url, null);
  });
  const told = answer.status === 206 ? totalIn(answer) : lengthIn(answer);
  if (told === null && head.length === length) throw sizeUntold(url);
  return { head, bytes: told ?? head.length, isPage: !isFile(answer) };
}

function denied(url: string, status: number): AppError {
  return new AppError(
    'download.denied',
    `Expected a file at ${url}, found answer ${status}. If it asks for a login, download it in the browser and drop it here.`,
  );
}

/** So much of the answer at most, also of a server that sends all of the file. */
async function readStart(answer: Response, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(length);
  let filled = 0;
  const reader = answer.body!.getReader();
  while (filled < length) {
    const { done, value } = await reader.read();
    if (done) break;
    found.set(value.subarray(0, length - filled), filled);
    filled += Math.min(value.length, length - filled);
  }
  await reader.cancel();
  return found.slice(0, filled);
}

/** Servers of single pages answer any address with their page. */
function isFile({ ok, headers }: Response): boolean {
  return ok && !headers.get('content-type')?.startsWith('text/html');
}

/** The size of the whole file in `Content-Range: bytes a-b/size`. */
export function totalIn({ headers }: Response): number | null {
  const total = /\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return total === undefined ? null : Number(total);
}

export function lengthIn({ headers }: Response): number | null {
  const length = headers.get('content-encoding') ? null : headers.get('content-length');
  return length === null ? null : Number(length);
}
