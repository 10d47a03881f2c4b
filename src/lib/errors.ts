/**
 * The one error type of the project. `code` is stable and machine-readable; the message says what was
 * expected, what was found and what to do. Errors lose their class when they cross a worker boundary, so they
 * travel as plain objects (`toPlainError`) and are revived on the other side (`reviveError`).
 */
export class AppError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
  }
}

export interface PlainError {
  readonly code: string;
  readonly message: string;
}

/** Any thrown value as a plain object; errors that are not ours get the code `unexpected`. */
export function toPlainError(error: unknown): PlainError {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === 'AbortError')
    return { code: 'cancelled', message: 'Cancelled.' };
  return { code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}

export function reviveError(plain: PlainError): AppError {
  return new AppError(plain.code, plain.message);
}
