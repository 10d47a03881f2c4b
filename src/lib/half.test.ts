/** Half-precision floats to numbers and back, the odd ones too. */
import { expect, it } from 'vitest';
import { halfBytesToFloat32, halfToNumber, numberToHalf } from './half.ts';

it('every finite half survives the round trip', () => {
  for (let bits = 0; bits < 0x10000; bits++) {
    if ((bits & 0x7c00) === 0x7c00) continue;
    expect(numberToHalf(halfToNumber(bits))).toBe(bits);
  }
});

it('rounds to nearest even and overflows to infinity', () => {
  expect(halfToNumber(numberToHalf(1 + 2 ** -11))).toBe(1);
  expect(halfToNumber(numberToHalf(1 + 3 * 2 ** -11))).toBe(1 + 2 ** -9);
  expect(halfToNumber(numberToHalf(65519))).toBe(65504);
  expect(halfToNumber(numberToHalf(-70000))).toBe(-Infinity);
  expect(halfToNumber(numberToHalf(NaN))).toBeNaN();
});

it('reads halves at an odd offset', () => {
  expect([...halfBytesToFloat32(Uint8Array.of(9, 0, 0x3c, 0, 0xc0).subarray(1))]).toEqual([1, -2]);
});
