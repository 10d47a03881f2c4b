/** What makes the mark `{}` of a prompt legal. */
import { describe, expect, it } from 'vitest';
import { checkPlaceholders, splitAtPlaceholders } from './prompt.ts';

describe('checkPlaceholders', () => {
  it.each([
    ['A photo', null],
    ['A {photo}', null],
    ['A {} here', 'the concept'],
  ])('takes “%s” (concept: %s)', (prompt, concept) => {
    expect(() => checkPlaceholders(prompt, concept)).not.toThrow();
  });

  it.each([
    ['A {}', null, 'prompt.concept', 'no concept is chosen'],
    ['A photo', '“robot”', 'prompt.placeholder', 'Put {} where “robot” belongs'],
    ['{} and {}', '“robot”', 'prompt.placeholder', '2 times'],
  ])('refuses “%s” (concept: %s)', (prompt, concept, code, message) => {
    const refusal = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => checkPlaceholders(prompt, concept)).toThrow(refusal);
  });
});

it('splits a prompt at its marks', () => {
  expect(splitAtPlaceholders('a {} b')).toEqual(['a ', ' b']);
  expect(splitAtPlaceholders('a')).toEqual(['a']);
});
