/** Numbers in plain words: durations, sizes, and what a truncation means. */

import { plainName } from '../lib/plainName.ts';

/** "about 2 min", "18 s"; for a time that is still to come. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** What the truncation slider does where so many of a concept's hidden units are kept. */
export function truncationWords(truncation: number, hidden: number): string {
  const share = truncation / hidden;
  if (share <= 1 / 16) return 'A loose idea: the prompt leads, the concept only hints';
  if (share <= 1 / 4) return 'A free version: recognisable, easy to restyle';
  if (share <= 5 / 8) return 'A good likeness that still follows the prompt';
  return 'As exact as it gets: everything that was learned';
}

const ROWS = ['the top', 'the middle', 'the bottom'] as const;
const COLUMNS = [' left', '', ' right'] as const;

/** What a word's map of side × side places says: how much of the picture's attention the word has, and where most of it lies. */
export function attentionWords(word: string, map: Float32Array, side: number): string {
  const thirds = new Float32Array(9);
  const third = (index: number) => Math.floor((3 * (index + 0.5)) / side);
  map.forEach((value, i) => (thirds[3 * third(Math.floor(i / side)) + third(i % side)]! += value));
  const most = thirds.indexOf(Math.max(...thirds));
  const share = (100 * map.reduce((sum, value) => sum + value, 0)) / map.length;
  const where = `${ROWS[Math.floor(most / 3)]}${COLUMNS[most % 3]}`.replace('the middle ', 'the ');
  return `“${word}” has ${share.toPrecision(2)} % of the picture’s attention, most at ${where}.`;
}

/** The slider's words for a textual inversion. */
export const PLAIN_WORDS = 'A textual inversion is the same at every truncation';

/** A concept's name as a file name that every system accepts. */
export function conceptFileName(name: string, ending = 'safetensors'): string {
  const safe = [...plainName(name)]
    .map((letter) => (letter < ' ' || '/\\:*?"<>|'.includes(letter) ? '-' : letter))
    .join('');
  return `${safe.trim().replace(/^\.+/, '') || 'concept'}.${ending}`;
}
