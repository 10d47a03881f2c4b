/** The marks of a prompt: what they are called, and what makes them legal. */
import { describe, expect, it } from 'vitest';
import {
  calledName,
  checkMarks,
  hasPlaceholder,
  isSameName,
  markOf,
  marksOf,
  namesOf,
  replaceMarks,
  splitAtMarks,
} from './prompt.ts';

describe('checkMarks', () => {
  it.each([
    ['A photo', null],
    ['A {photo}', null],
    ['A {photo}', 'the concept'],
    ['A {} here', 'the concept'],
    ['{} and {} and {robot}', 'the concept'],
  ])('takes “%s” (chosen: %s)', (prompt, chosen) => {
    expect(() => checkMarks(prompt, chosen)).not.toThrow();
  });

  it.each([
    ['A {}', null, 'prompt.concept', 'no concept is chosen'],
    ['A photo', '“robot”', 'prompt.placeholder', 'Put {} where “robot” belongs'],
    ['{} and {a} and {b} and {}', '“robot”', 'prompt.placeholder', '4 places for concepts. Keep 3'],
  ])('refuses “%s” (chosen: %s)', (prompt, chosen, code, message) => {
    const refusal = expect.objectContaining({ code, message: expect.stringContaining(message) });
    expect(() => checkMarks(prompt, chosen)).toThrow(refusal);
  });
});

it('has marks with names of any letters and spaces', () => {
  const prompt = 'a {tin robot} by {} and { 茶壶 }, {unfinished';
  expect(marksOf(prompt)).toEqual(['tin robot', '', '茶壶']);
  expect(namesOf(prompt)).toEqual(['tin robot', '茶壶']);
  expect([hasPlaceholder(prompt), hasPlaceholder('a {b}')]).toEqual([true, false]);
  expect(splitAtMarks(prompt)).toEqual(['a ', ' by ', ' and ', ', {unfinished']);
  expect(replaceMarks(prompt, (name, index) => `${index}${name}`)).toBe(
    'a 0tin robot by 1 and 2茶壶, {unfinished',
  );
  expect(splitAtMarks('a')).toEqual(['a']);
});

it('calls a concept by its name whatever its case, and however its accents are stored', () => {
  expect(calledName(' my {odd}  robot ')).toBe('my odd robot');
  expect(marksOf(markOf('my {odd} robot'))).toEqual(['my odd robot']);
  expect(isSameName('Théière', 'the\u0301ie\u0300re')).toBe(true);
  expect(isSameName('tin robot', 'tin  Robot')).toBe(true);
  expect(isSameName('robot', 'robots')).toBe(false);
});
