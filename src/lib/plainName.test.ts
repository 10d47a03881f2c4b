/** Names without what hides or turns text; letters of every script, and the joiners inside them, stay. */
import { expect, it } from 'vitest';
import { plainName } from './plainName.ts';

it.each([
  ['a\u202egnp.exe', 'agnp.exe'],
  ['\ufeff tin\r\n robot\u0000\u009f ', 'tin robot'],
  ['\u2066שלום\u2069 \u200fعربي', 'שלום عربي'],
  ['👩\u200d🎨 café', '👩\u200d🎨 café'],
  ['\u0007\u202e', ''],
])('%j is called %j', (name, plain) => {
  expect(plainName(name)).toBe(plain);
});
