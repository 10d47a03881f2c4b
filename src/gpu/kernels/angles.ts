/**
 * Sine and cosine of sums of angles by the addition theorems, from tables of both summands' sines and cosines: rows
 * [sin 0 … F − 1, cos 0 … F − 1]. The tables come from float64; the angles themselves are too large for a GPU's sine.
 */
import { defineKernel } from '../backend.ts';
import { perThread, threads } from './threads.ts';

/** y[r] = scale·[sin(a + b), cos(a + b)] for row pairs[2r] of a's table and row pairs[2r + 1] of b's. */
export const addAngles = defineKernel({
  name: 'addAngles',
  buffers: { a: 'read', b: 'read', pairs: 'read', y: 'read_write' },
  params: { rows: 'u32', features: 'u32', scale: 'f32' },
  wgsl: perThread(
    'params.rows * params.features',
    `let row = i / params.features;
  let f = i % params.features;
  let width = 2u * params.features;
  let left = u32(pairs[2u * row]) * width + f;
  let right = u32(pairs[2u * row + 1u]) * width + f;
  let sines = vec2f(a[left], b[right]);
  let cosines = vec2f(a[left + params.features], b[right + params.features]);
  y[row * width + f] = params.scale * (sines.x * cosines.y + cosines.x * sines.y);
  y[row * width + params.features + f] = params.scale * (cosines.x * cosines.y - sines.x * sines.y);`,
  ),
  workgroups: ({ rows, features }) => threads(rows * features),
  reference: ({ a, b, pairs, y }, { rows, features, scale }) => {
    for (let row = 0; row < rows; row++) {
      const start = 2 * features * row;
      const left = 2 * features * pairs[2 * row]!;
      const right = 2 * features * pairs[2 * row + 1]!;
      for (let f = 0; f < features; f++) {
        const sinA = a[left + f]!;
        const cosA = a[left + features + f]!;
        const sinB = b[right + f]!;
        const cosB = b[right + features + f]!;
        y[start + f] = scale * (sinA * cosB + cosA * sinB);
        y[start + features + f] = scale * (cosA * cosB - sinA * sinB);
      }
    }
  },
});
