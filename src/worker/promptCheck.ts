/** How long a prompt is for the base that is open. */
import type { PromptTokenizer, Vectors } from '../diffusion/tokenizer.ts';
import type { PromptCheck } from './api.ts';

/** @param vectors tokens that concepts take at their marks, one a word vector */
export function checkPrompt(tokenizer: PromptTokenizer, prompt: string, vectors: Vectors): PromptCheck {
  const tokens = tokenizer.count(prompt, vectors);
  return {
    tokens,
    conceptTokens: tokens - tokenizer.count(prompt, 0),
    maxTokens: tokenizer.tokens,
  };
}
