/** What is typed and chosen on the page, as typed; it becomes numbers when it is used. */
import { AppError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import type { Field, Form, FormSlice } from './state.ts';

/** What a base has defaults for is filled in when it opens (openBase.ts). */
export const emptyForm: Form = {
  name: '',
  category: '',
  kind: 'object',
  trainSteps: '',
  trainSeed: '0',
  conceptId: null,
  prompt: 'A photo of {} on a beach',
  negativePrompt: '',
  seed: '',
  count: 4,
  steps: '',
  guidanceScale: '',
  filled: { trainSteps: '', steps: '', guidanceScale: '' },
  truncation: 128,
  sampler: 'dpm-solver++-2m',
  appearanceId: null,
  mixingStart: 40,
  provider: 'auto',
  model: null,
};

export function createFormSlice({ set }: Context): FormSlice {
  return {
    form: emptyForm,
    fieldProblems: {},
    edit: (patch) =>
      set(({ form, fieldProblems }) => ({
        form: { ...form, ...patch },
        fieldProblems: without(fieldProblems, Object.keys(patch)),
      })),
  };
}

function without<Values extends object>(values: Values, keys: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key))) as Values;
}

/** A problem with what one field holds, shown at that field. */
export class FieldError extends AppError {
  readonly field: Field;

  constructor(field: Field, code: string, message: string) {
    super(code, message);
    this.field = field;
  }
}

interface Range {
  readonly label: string;
  readonly from: number;
  readonly to: number;
  readonly whole: boolean;
}

/** Reads a field as a number within a range. Throws a FieldError that says what was expected and what was found. */
export function readNumber(field: Field, text: string, { label, from, to, whole }: Range): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (value >= from && value <= to && (!whole || Number.isInteger(value))) return value;
  const found = text.trim() === '' ? 'it is empty' : `“${text.trim()}” is not`;
  const expected = whole ? 'a whole number' : 'a number';
  throw new FieldError(field, 'field.number', `${label} takes ${expected} from ${from} to ${to}; ${found}.`);
}
