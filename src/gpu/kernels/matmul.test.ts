/** The matrix product of the processor's backend, in every orientation and at sizes that do not fill a tile. */
import { describe, expect, it } from 'vitest';
import { Random } from '../../lib/random.ts';
import { matmul, productParams } from './matmul.ts';

const SIZES: [number, number, number][] = [
  [1, 1, 1],
  [4, 8, 8],
  [3, 5, 9],
  [5, 130, 7],
  [128, 2048, 160],
  [9, 3000, 17],
];

describe('matmul on the CPU', () => {
  it.each(SIZES)('equals the defining sum for every transposition: %i × %i × %i', (m, k, n) => {
    const random = new Random(m + k + n);
    const draw = (size: number) => random.fillNormal(new Float32Array(size));
    const [a, b, before] = [draw(m * k), draw(k * n), draw(m * n)];
    for (const [transposeA, transposeB, accumulate] of [
      [false, false, false],
      [true, false, true],
      [false, true, true],
      [true, true, false],
    ] as const) {
      const c = before.slice();
      matmul.reference(
        { a, b, c },
        productParams([m, k, n], { transposeA, transposeB, accumulate: accumulate ? 1 : 0 }),
      );
      // A few entries suffice for the large sizes.
      for (let i = 0; i < m * n; i += Math.ceil((m * n) / 100)) {
        const [row, column] = [Math.floor(i / n), i % n];
        let sum = accumulate ? before[i]! : 0;
        for (let d = 0; d < k; d++) {
          const left = a[transposeA ? d * m + row : row * k + d]!;
          sum += left * b[transposeB ? column * k + d : d * n + column]!;
        }
        expect(Math.abs(c[i]! - sum)).toBeLessThan(1e-6 * Math.sqrt(k) * 10);
      }
    }
  });
});
