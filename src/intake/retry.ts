/** When to try a request again, and how long to wait before. */
import { AppError } from '../lib/errors.ts';

export interface RetrySettings {
  /** Tries in a row that may bring nothing. */
  readonly tries: number;
  /** The first wait in milliseconds; it doubles with every try that brings nothing. */
  readonly backoffMs: number;
  /** Silence after which a connection counts as dead, in milliseconds. */
  readonly stallMs: number;
}

export const PATIENT: RetrySettings = { tries: 6, backoffMs: 1000, stallMs: 20_000 };

const LONGEST_WAIT_MS = 60_000;

/** Busy, limited or broken for now. */
export const isPassing = (status: number) => [408, 425, 429].includes(status) || status >= 500;

/** The wait before try number `tried` + 1: what the server asks for, else doubling. */
export function waitBefore(tried: number, { backoffMs }: RetrySettings, asked: number | null): number {
  return Math.min(asked ?? backoffMs * 2 ** Math.max(tried - 1, 0), LONGEST_WAIT_MS);
}

/** `Retry-After` in milliseconds, given in seconds or as a date. */
export function retryAfter({ headers }: Response, now = Date.now()): number | null {
  const value = headers.get('retry-after');
  if (value === null) return null;
  const wait = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isNaN(wait) ? null : Math.max(wait, 0);
}

/** Waits; rejects at once when aborted. */
export function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(cancelled());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}

export const cancelled = () => new AppError('cancelled', 'Cancelled.');
