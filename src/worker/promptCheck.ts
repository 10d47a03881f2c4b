/** How a prompt fares with the base that is open: whether it fits, and what of it the base was never taught. */
import type { PromptTokenizer } from '../diffusion/tokenizer.ts';
import type { PromptCheck } from './api.ts';
import type { Words } from './baseModel.ts';

/** @param vectors tokens that the concept takes at its mark, one a word vector */
export function checkPrompt(
  tokenizer: PromptTokenizer,
  taught: Words['words'],
  prompt: string,
  vectors: number,
): PromptCheck {
  const words = prompt.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const known = taught && new Set(taught);
  const tokens = tokenizer.count(prompt, vectors);
  return {
    tokens,
    conceptTokens: tokens - tokenizer.count(prompt, 0),
    maxTokens: tokenizer.tokens,
    unknownWords: known ? [...new Set(words.filter((word) => !known.has(word)))] : [],
  };
}
