/** How labels are broken into lines. */
import { expect, it } from 'vitest';
import { wrapped } from './labelledGrid.ts';

it.each([
  ['a photo of it', ['a photo', 'of it']],
  ['wonderfully odd', ['wonderfully', 'odd']],
  ['', ['']],
])('“%s” in lines of eight letters', (text, lines) => {
  expect(wrapped(text, (line) => line.length <= 8)).toEqual(lines);
});
