/** The marks of a prompt, where concepts go: `{}` for the chosen one, `{name}` for another by its name. */
import { AppError } from './errors.ts';

export const PLACEHOLDER = '{}';

/** Most concepts of a picture. */
export const MAX_MARKS = 3;

const MARK = /\{([^{}]*)\}/g;

/** The names at the marks, in order; an empty one at `{}`. */
export function marksOf(prompt: string): string[] {
  return Array.from(prompt.matchAll(MARK), ([, name]) => name!.trim());
}

/** The names at the marks that have one. */
export function namesOf(prompt: string): string[] {
  return marksOf(prompt).filter((name) => name !== '');
}

/** Whether the chosen concept is in the prompt. */
export function hasPlaceholder(prompt: string): boolean {
  return marksOf(prompt).includes('');
}

/** The texts before and behind the marks: one more than there are marks. */
export function splitAtMarks(prompt: string): string[] {
  return prompt.split(/\{[^{}]*\}/);
}

/** The prompt with other words where its marks stand. */
export function replaceMarks(prompt: string, words: (name: string, index: number) => string): string {
  let index = 0;
  return prompt.replace(MARK, (_, name: string) => words(name.trim(), index++));
}

/** A concept's name as a prompt can call it, which is without braces. */
export function calledName(name: string): string {
  return name.normalize('NFC').replace(/[{}]/g, '').replace(/\s+/g, ' ').trim();
}

/** The mark that calls a concept of that name. */
export const markOf = (name: string): string => `{${calledName(name)}}`;

/** Whether two names call the same: neither case nor the way in which an accent is stored matters. */
export function isSameName(one: string, other: string): boolean {
  return calledName(one).toLowerCase() === calledName(other).toLowerCase();
}

/**
 * @param chosen how a message calls the chosen concept; null where none is chosen
 * Throws `prompt.concept` or `prompt.placeholder` with what to do.
 */
export function checkMarks(prompt: string, chosen: string | null): void {
  const { length } = marksOf(prompt);
  if (chosen === null && hasPlaceholder(prompt))
    throw new AppError(
      'prompt.concept',
      'The prompt has {} but no concept is chosen. Choose one at the top, teach one, or remove {}.',
    );
  if (chosen !== null && length === 0)
    throw new AppError('prompt.placeholder', `The prompt has no {}. Put {} where ${chosen} belongs.`);
  if (length > MAX_MARKS)
    throw new AppError(
      'prompt.placeholder',
      `The prompt has ${length} places for concepts. Keep ${MAX_MARKS}: a picture takes no more.`,
    );
}
