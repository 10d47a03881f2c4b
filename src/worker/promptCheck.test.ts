/** How many tokens a prompt takes, with and without a concept. */
import { expect, it } from 'vitest';
import { readTokenizerFolder } from '../diffusion/clipTokenizer.ts';
import { PromptTokenizer } from '../diffusion/tokenizer.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { checkPrompt } from './promptCheck.ts';

const open = openFolder(new URL('../../models/sticker-world/', import.meta.url));
const tokenizer = new PromptTokenizer({ ...(await readTokenizerFolder(open)), tokens: 20 });

it.each([
  ['a photo of {}', 5, 10, 5],
  ['a photo of {}', 1, 6, 1],
  ['a photo of a toy', 5, 7, 0],
  ['', 5, 2, 0],
])("counts a prompt's tokens and those at its mark: %j with %i vectors", (prompt, vectors, tokens, own) => {
  expect(checkPrompt(tokenizer, prompt, vectors)).toEqual({
    tokens,
    conceptTokens: own,
    maxTokens: 20,
  });
});
