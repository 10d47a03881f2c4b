/**
 * Scalars that a half-precision export rounded although they are no weights: attention scales 1/√d and 1/⁴√d, the
 * √2 of Gelu and CLIP's 1.702. Float32 arithmetic gets the number that was meant.
 */
import { halfToNumber, numberToHalf } from '../../lib/half';

/** Up to here neighbouring roots differ in half precision. */
const WIDEST_HEAD = 255;

const meant = new Map<number, number>();
const widths = Array.from({ length: WIDEST_HEAD }, (_, i) => i + 1);
for (const power of [-0.25, 0.5, -0.5]) for (const width of widths) remember(width ** power);
remember(1.702);

function remember(exact: number): void {
  meant.set(halfToNumber(numberToHalf(exact)), exact);
}

/** The exact scale whose half-precision rounding `value` is, or `value` itself. */
export function restoreScale(value: number): number {
  return Number.isInteger(value) ? value : (meant.get(value) ?? value);
}
