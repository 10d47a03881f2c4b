/**
 * CLIP's vocabulary, for single files, which carry none: every Stable Diffusion 1.x and 2.x has this one. The merges are
 * OpenAI's (clip/LICENSE); bytes, then bytes at a word's end, then the merges in their order, make the vocabulary.
 */
import { gunzipSync } from 'fflate';
import { END_TOKEN, START_TOKEN } from '../diffusion/clipTokenizer.ts';
import { AppError } from '../lib/errors.ts';
import { layout } from '../lib/modelLayout.ts';

/** The merges as they ship with the page, packed. */
export const MERGES = new URL('./clip/merges.bin', import.meta.url);

const GZIP = 0x1f;
const MERGE_COUNT = 48_894;

/** The tokenizer's files by their paths. Throws `tokenizer.merges` when what was fetched is not what ships. */
export function clipTokenizerFiles(packed: Uint8Array, padToken: string): Map<string, string> {
  // Some servers unpack it on the way.
  const merges = new TextDecoder().decode(packed[0] === GZIP ? gunzipSync(packed) : packed).split('\n');
  if (merges.length !== MERGE_COUNT)
    throw new AppError(
      'tokenizer.merges',
      `Expected ${MERGE_COUNT} merges of CLIP’s vocabulary from the page’s own server, found ${merges.length}; reload the page.`,
    );
  const letters = byteLetters();
  const words = [...letters, ...letters.map((letter) => `${letter}</w>`)];
  const merged = merges.map((pair) => pair.replace(' ', ''));
  const all = [...words, ...merged, START_TOKEN, END_TOKEN];
  return new Map([
    [layout.vocabulary, JSON.stringify(Object.fromEntries(all.map((word, i) => [word, i])))],
    [layout.merges, merges.join('\n')],
    [layout.specialTokens, JSON.stringify({ pad_token: padToken })],
  ]);
}

const codes = (from: string, to: string) =>
  Array.from({ length: to.charCodeAt(0) - from.charCodeAt(0) + 1 }, (_, i) => from.charCodeAt(0) + i);

/** A letter for every byte: itself where it is visible, and the others from U+0100 on, as GPT-2 has them. */
function byteLetters(): string[] {
  const visible = [...codes('!', '~'), ...codes('¡', '¬'), ...codes('®', 'ÿ')];
  const hidden = Array.from({ length: 256 }, (_, i) => i).filter((byte) => !visible.includes(byte));
  return [...visible, ...hidden.map((_, i) => 256 + i)].map((code) => String.fromCharCode(code));
}
