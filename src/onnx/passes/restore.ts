/**
 * Scalars that a half-precision export rounded although they are no weights: attention scales 1/√d and 1/⁴√d, the
 * √2 of Gelu and CLIP's 1.702. Float32 arithmetic gets the number that was meant.
 */
import { halfToNumber, numberToHalf } from '../../lib/half.ts';

/** Up to here neighbouring roots differ in half precision. */
const WIDEST_HEAD = 255;

const half = (value: number) => halfToNumber(numberToHalf(value));

const meant = new Map<number, number>([[half(1.702), 1.702]]);
const widths = Array.from({ length: WIDEST_HEAD }, (_, i) => i + 1);
for (const power of [-0.25, 0.5, -0.5])
  for (const width of widths) meant.set(half(width ** power), width ** power);
// 1/⁴√d as the root of a root, rounded twice.
for (const width of widths) {
  const twice = half(Math.sqrt(half(width ** -0.5)));
  if (!meant.has(twice)) meant.set(twice, width ** -0.25);
}

/** The exact scale whose half-precision rounding `value` is, or `value` itself. */
export function restoreScale(value: number): number {
  return Number.isInteger(value) ? value : (meant.get(value) ?? value);
}
