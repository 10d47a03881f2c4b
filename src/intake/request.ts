/** Small requests while planning: whole answers, JSON that is validated, how a file begins, and sizes of files not fetched yet. */
import type { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';
import { cancelled, isPassing, PATIENT, pause, retryAfter, waitBefore, type RetrySettings } from './retry.ts';
import { Silence } from './silence.ts';

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly retry?: RetrySettings;
}

/** Nothing of the user goes along with a request for a model's files. */
export const ANONYMOUS = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' } as const;

/** Reads what is wanted of an answer; the connection is let go of afterwards. */
type Read<T> = (answer: Response, silence: Silence) => Promise<T>;

/**
 * What `read` takes from an answer of any status but the passing ones, which are tried again, as is what breaks off or goes
 * silent. Throws `download.failed` when there is no answer, `cancelled`, and the AppErrors of `read`.
 */
async function request<T>(
  url: string,
  init: RequestInit,
  { signal, retry = PATIENT }: RequestOptions,
  read: Read<T>,
): Promise<T> {
  for (let tried = 1; ; tried++) {
    const silence = new Silence(retry.stallMs, signal);
    const given = { ...ANONYMOUS, ...init, signal: silence.signal };
    const answer = await fetch(url, given).catch(() => null);
    try {
      if (answer && !isPassing(answer.status)) return await read(answer, silence);
    } catch (error) {
      if (error instanceof AppError) throw error;
    } finally {
      silence.end();
    }
    if (signal?.aborted) throw cancelled();
    if (tried >= retry.tries) throw unanswered(url, answer);
    await pause(waitBefore(tried, retry, answer && retryAfter(answer)), signal);
  }
}

/** An answer with all of its body. */
export interface WholeAnswer {
  readonly answer: Response;
  readonly body: Blob;
}

/** Throws what `request` throws. */
export const fetchWhole = (url: string, options: RequestOptions): Promise<WholeAnswer> =>
  request(url, {}, options, async (answer, silence) => {
    const body: Uint8Array<ArrayBuffer>[] = [];
    for await (const piece of pieces(answer, silence)) body.push(piece);
    return { answer, body: new Blob(body) };
  });

async function* pieces({ body }: Response, silence: Silence): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) return;
    silence.broken();
    yield piece.value;
  }
}

function unanswered(url: string, answer: Response | null): AppError {
  return new AppError(
    'download.failed',
    `Expected an answer from ${new URL(url).host}, found ${answer ? `status ${answer.status}` : 'none'}. Check the address and the connection, and try again. ` +
      'A server of your own must allow this page to read from it (CORS).',
  );
}

/** A validated JSON answer. Throws `download.answer` when it is of another form. */
export async function parseAnswer<T>({ answer, body }: WholeAnswer, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await new Response(body).json().catch(() => null));
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
  const answer = await request(url, { headers: { Range: 'bytes=0-0' } }, options, headersOnly);
  if (!isFile(answer)) return null;
  const told = answer.status === 206 ? totalIn(answer) : lengthIn(answer);
  const size = told ?? lengthIn(await request(url, { method: 'HEAD' }, options, headersOnly));
  if (size !== null) return size;
  throw sizeUntold(url);
}

const headersOnly = (answer: Response) => Promise.resolve(answer);

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
export const fetchStart = (url: string, length: number, options: RequestOptions): Promise<FileStart | null> =>
  request(url, { headers: { Range: `bytes=0-${length - 1}` } }, options, async (answer, silence) => {
    if ([401, 403].includes(answer.status)) throw denied(url, answer.status);
    if (!answer.ok) return null;
    const head = await readStart(answer, length, silence);
    const told = answer.status === 206 ? totalIn(answer) : lengthIn(answer);
    if (told === null && head.length === length) throw sizeUntold(url);
    return { head, bytes: told ?? head.length, isPage: !isFile(answer) };
  });

function denied(url: string, status: number): AppError {
  return new AppError(
    'download.denied',
    `Expected a file at ${url}, found answer ${status}. If it asks for a login, download it in the browser and drop it here.`,
  );
}

/** So much of the answer at most, also of a server that sends all of the file. */
async function readStart(
  answer: Response,
  length: number,
  silence: Silence,
): Promise<Uint8Array<ArrayBuffer>> {
  const found = new Uint8Array(length);
  let filled = 0;
  for await (const piece of pieces(answer, silence)) {
    const part = piece.subarray(0, length - filled);
    found.set(part, filled);
    filled += part.length;
    if (filled === length) break;
  }
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
