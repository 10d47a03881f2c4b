/** From what is typed into a field to a number, or to a problem that is shown at that field. */
import { AppError } from '../lib/errors.ts';
import { MAX_SEED } from '../neti/limits.ts';
import type { Field } from './state.ts';

/** A problem with what one field holds, shown at that field. */
export class FieldError extends AppError {
  readonly field: Field;

  constructor(field: Field, code: string, message: string) {
    super(code, message);
    this.field = field;
  }
}

export interface Range {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly whole: boolean;
  readonly even?: boolean;
}

export const SEED_RANGE: Range = { label: 'The seed', from: 0, to: MAX_SEED, whole: true };

/** Reads a field as a number within a range. Throws a FieldError that says what was expected and what was found. */
export function readNumber(field: Field, text: string, range: Range): number {
  const { label, from, to, whole, even = false } = range;
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= from && value <= to && (!whole || Number.isInteger(value)) && (!even || value % 2 === 0))
    return value;
  const found = text.trim() === '' ? 'it is empty' : `“${text.trim()}” is not`;
  const expected = even ? 'an even number' : whole ? 'a whole number' : 'a number';
  throw new FieldError(field, 'field.number', `${label} takes ${expected} from ${from} to ${to}; ${found}.`);
}
