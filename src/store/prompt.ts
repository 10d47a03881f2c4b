/** What a prompt says: where concepts stand, which words the base model does not know, whether it is too long. */
import { marksOf, splitAtMarks } from '../lib/prompt.ts';
import type { PromptCheck } from '../worker/api.ts';

export interface PromptPart {
  readonly kind: 'text' | 'concept' | 'unknown';
  readonly text: string;
}

const WORD_PATTERN = /[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu;
const piecePattern = new RegExp(`\\{[^{}]*\\}|${WORD_PATTERN.source}|[^\\p{L}\\p{N}{]+|\\{`, 'gu');

/** Splits a prompt into plain text, marks of concepts and unknown words; the parts joined give the prompt again. */
export function splitPrompt(prompt: string, unknownWords: readonly string[]): PromptPart[] {
  const unknown = new Set(unknownWords.map((word) => word.toLowerCase()));
  const pieces = prompt.match(piecePattern) ?? [];
  return pieces.map((text) => {
    if (marksOf(text).length > 0) return { kind: 'concept', text };
    return { kind: unknown.has(text.toLowerCase()) ? 'unknown' : 'text', text };
  });
}

/** Words of the prompt, in lower case, that are not among those the base model was taught. */
export function unknownWords(prompt: string, known: ReadonlySet<string>): string[] {
  const words = splitAtMarks(prompt).join(' ').toLowerCase().match(WORD_PATTERN) ?? [];
  const isKnown = (word: string) => known.has(word) || word.split(/['’-]/).every((part) => known.has(part));
  return [...new Set(words.filter((word) => !isKnown(word)))];
}

/** What is wrong with the length of a prompt, which is called by its field's name; null when it fits. */
export function describeLength(
  { tokens, conceptTokens, maxTokens }: PromptCheck,
  name = 'prompt',
): string | null {
  if (tokens <= maxTokens) return null;
  const share = conceptTokens > 1 ? `, ${conceptTokens} of them for concepts` : '';
  return `The ${name} has ${tokens} tokens${share}; the model reads ${maxTokens}. Shorten it by some words.`;
}
