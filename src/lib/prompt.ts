/** The mark `{}` of a prompt, where a concept goes, and what makes it legal. */
import { AppError } from './errors.ts';

export const PLACEHOLDER = '{}';

/** The texts before and behind the marks: one more than there are marks. */
export function splitAtPlaceholders(prompt: string): string[] {
  return prompt.split(PLACEHOLDER);
}

/**
 * @param concept how a message calls what is to be marked, once; null where no concept is chosen and none may be marked
 * Throws `prompt.concept` or `prompt.placeholder` with what to do.
 */
export function checkPlaceholders(prompt: string, concept: string | null): void {
  const count = splitAtPlaceholders(prompt).length - 1;
  if (concept === null && count > 0)
    throw new AppError(
      'prompt.concept',
      'The prompt has {} but no concept is chosen. Choose one at the top, teach one, or remove {}.',
    );
  if (concept !== null && count === 0)
    throw new AppError('prompt.placeholder', `The prompt has no {}. Put {} where ${concept} belongs.`);
  if (count > 1)
    throw new AppError(
      'prompt.placeholder',
      `The prompt has {} ${count} times. Keep one: a picture takes one.`,
    );
}
