/** JSON as Python writes it. */
import { expect, it } from 'vitest';
import { parseJson } from './json.ts';

it('reads numbers that only Python has a word for as nothing, and leaves texts alone', () => {
  const text = '{"lambda_min_clipped": -Infinity, "b": [NaN, Infinity], "a \\" NaN": "-Infinity"}';
  expect(parseJson(text, 'a.json')).toEqual({
    lambda_min_clipped: null,
    b: [null, null],
    'a " NaN': '-Infinity',
  });
});

it.each(['<!doctype html>', '{"a": Infinite}', ''])('names the file that is no JSON: %j', (text) => {
  expect(() => parseJson(text, 'unet/config.json')).toThrow(
    expect.objectContaining({ code: 'file.json', message: expect.stringContaining('unet/config.json') }),
  );
});
