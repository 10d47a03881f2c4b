/**
 * What a prompt says: where the concept's `{}` stands, which words the base model does not know, and the text that
 * travels inside a generated PNG (AUTOMATIC1111's `parameters` convention).
 */
import { AppError } from '../lib/errors.ts';
import type { PromptCheck, SamplerName } from '../worker/api.ts';

export const PLACEHOLDER = '{}';

export interface PromptPart {
  readonly kind: 'text' | 'concept' | 'unknown';
  readonly text: string;
}

const placeholderCount = (prompt: string) => prompt.split(PLACEHOLDER).length - 1;

/** Splits a prompt into plain text, placeholders and unknown words; the parts joined give the prompt again. */
export function splitPrompt(prompt: string, unknownWords: readonly string[]): PromptPart[] {
  const unknown = new Set(unknownWords.map((word) => word.toLowerCase()));
  const pieces = prompt.match(/\{\}|[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*|[^\p{L}\p{N}{]+|\{/gu) ?? [];
  return pieces.map((text) => {
    if (text === PLACEHOLDER) return { kind: 'concept', text };
    return { kind: unknown.has(text.toLowerCase()) ? 'unknown' : 'text', text };
  });
}

const wordPattern = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;

/** Words of the prompt, in lower case, that are not among those the base model was taught. */
export function unknownWords(prompt: string, known: ReadonlySet<string>): string[] {
  const words = prompt.toLowerCase().match(wordPattern) ?? [];
  const isKnown = (word: string) => known.has(word) || word.split(/['’-]/).every((part) => known.has(part));
  return [...new Set(words.filter((word) => !isKnown(word)))];
}

/** Throws `prompt.empty`, `prompt.placeholder` or `prompt.concept` with what to do. */
export function requireValidPrompt(prompt: string, conceptName: string | null): void {
  if (prompt.trim() === '')
    throw new AppError('prompt.empty', 'The prompt is empty. Say what the picture should show.');
  const count = placeholderCount(prompt);
  if (conceptName === null && count > 0)
    throw new AppError(
      'prompt.concept',
      'The prompt has {} but no concept is chosen. Choose one at the top, teach one, or remove {}.',
    );
  if (conceptName !== null && count === 0)
    throw new AppError('prompt.placeholder', `The prompt has no {}. Put {} where “${conceptName}” belongs.`);
  if (count > 1)
    throw new AppError(
      'prompt.placeholder',
      `The prompt has {} ${count} times. Keep one: a picture takes one.`,
    );
}

/** What is wrong with the length of a prompt; null when it fits. */
export function describeLength({ tokens, conceptTokens, maxTokens }: PromptCheck): string | null {
  if (tokens <= maxTokens) return null;
  const share = conceptTokens > 1 ? `, ${conceptTokens} of them for ${PLACEHOLDER}` : '';
  return `The prompt has ${tokens} tokens${share}; the model reads ${maxTokens}. Shorten it by some words.`;
}

export interface PictureRecipe {
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly steps: number;
  readonly sampler: SamplerName;
  readonly guidanceScale: number;
  readonly seed: number;
  readonly truncation: number;
  readonly conceptName: string;
  readonly mixing: { readonly conceptName: string; readonly start: number } | null;
  readonly resolution: number;
  readonly baseId: string;
  readonly baseHash: string;
}

const samplerNames: Record<SamplerName, string> = { 'dpm-solver++-2m': 'DPM++ 2M', ddim: 'DDIM' };

const quoted = (value: string) => (/[,:"\n]/.test(value) ? JSON.stringify(value) : value);

/** The `parameters` text of a generated picture. */
export function describeRecipe(recipe: PictureRecipe): string {
  const fields: [string, string | number][] = [
    ['Steps', recipe.steps],
    ['Sampler', samplerNames[recipe.sampler]],
    ['CFG scale', recipe.guidanceScale],
    ['Seed', recipe.seed],
    ['Size', `${recipe.resolution}x${recipe.resolution}`],
    ['Model hash', recipe.baseHash.slice(0, 10)],
    ['Model', quoted(recipe.baseId)],
  ];
  if (recipe.conceptName !== '')
    fields.push(['NeTI concept', quoted(recipe.conceptName)], ['NeTI truncation', recipe.truncation]);
  if (recipe.mixing)
    fields.push(
      ['NeTI appearance', quoted(recipe.mixing.conceptName)],
      ['NeTI mixing start', `${recipe.mixing.start}%`],
    );
  const negative = recipe.negativePrompt === '' ? [] : [`Negative prompt: ${recipe.negativePrompt}`];
  return [recipe.prompt, ...negative, fields.map(([key, value]) => `${key}: ${value}`).join(', ')].join('\n');
}
