/** Colour histograms and their intersection. */
import { expect, it } from 'vitest';
import { colourHistogram, intersection } from './colours.ts';

const SIDE = 8;
type Rgb = readonly [number, number, number];
const [white, blue, red, green]: Rgb[] = [
  [1, 1, 1],
  [-0.9, -0.9, 0.9],
  [0.9, -0.9, -0.9],
  [-0.9, 0.9, -0.9],
];

/** A thing of `width` columns and full height but a border, on a ground. */
function picture(thing: Rgb, ground: Rgb, width: number): Float32Array {
  return Float32Array.from({ length: 3 * SIDE * SIDE }, (_, i) => {
    const [channel, x, y] = [Math.floor(i / SIDE ** 2), i % SIDE, Math.floor(i / SIDE) % SIDE];
    const inside = y > 0 && y < SIDE - 1 && x > 0 && x <= width;
    return (inside ? thing : ground)[channel]!;
  });
}
const compare = (a: Float32Array, b: Float32Array) =>
  intersection(colourHistogram(a, SIDE), colourHistogram(b, SIDE));

it('neither the ground nor the size counts', () => {
  expect(compare(picture(red!, white!, 3), picture(red!, blue!, 6))).toBeCloseTo(1, 6);
});

it('other colours have nothing in common', () => {
  expect(compare(picture(red!, white!, 3), picture(green!, white!, 3))).toBe(0);
});

it('an empty picture has nothing in common with anything', () => {
  expect(compare(picture(white!, white!, 3), picture(red!, white!, 3))).toBe(0);
});
