/** Words that people find a concept by. */
import { plainName } from './plainName.ts';

const MOST_TAGS = 20;
const MOST_LETTERS = 40;

/** Tags as they are written, between commas: each once and in the order given, at most 20 of 40 letters. */
export function readTags(text: string): readonly string[] {
  const tags = text.split(',').map((tag) => plainName(tag).slice(0, MOST_LETTERS).trim());
  return [...new Set(tags.filter((tag) => tag !== ''))].slice(0, MOST_TAGS);
}
