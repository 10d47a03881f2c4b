/** The weights of random checkpoints, made again from the tensors' names as in fixtures/make_checkpoints.py. */
import { sizeOf } from '../../lib/numbers.ts';

/** Numbers that follow from a name and a shape. */
export function fill(name: string, shape: readonly number[]): Float32Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619);
  const isNorm = name.endsWith('weight');
  const rows = sizeOf(shape.slice(1));
  const scale = 2 ** (roundEven(-Math.log2(rows) / 2) - 6);
  return Float32Array.from({ length: sizeOf(shape) }, (_, i) => {
    const byte = (mix(Math.imul(i, 0x9e3779b9) + seed) >>> 24) - 128;
    if (shape.length >= 2) return byte * scale;
    return isNorm ? 1 + (byte >> 3) / 64 : byte / 512;
  });
}

function mix(value: number): number {
  let x = value ^ (value >>> 16);
  x = Math.imul(x, 0x7feb352d);
  x ^= x >>> 15;
  return Math.imul(x, 0x846ca68b);
}

/** As NumPy rounds. */
function roundEven(value: number): number {
  const nearest = Math.round(value);
  return Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : nearest;
}
