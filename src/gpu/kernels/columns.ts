/** Kernels that pick columns of row-major matrices [rows, width]: both halves, and the first k units of a row (nested dropout, truncation). */
import { defineKernel } from '../backend.ts';
import { perThread, put, putAt, threads } from './threads.ts';

/** WGSL with one thread for each (row, column) of a matrix `columns` wide. */
function perCell(columns: string, statement: string): string {
  return perThread(
    `params.rows * ${columns}`,
    `let row = i / ${columns};
  let column = i % ${columns};
  ${statement}`,
  );
}

/** left[r, c] = x[r, c], right[r, c] = x[r, half + c]; x is twice `half` wide. */
export const splitColumns = defineKernel({
  name: 'splitColumns',
  buffers: { x: 'read', left: 'read_write', right: 'read_write' },
  params: { rows: 'u32', half: 'u32' },
  wgsl: perCell(
    'params.half',
    `let at = 2u * row * params.half + column;
  left[i] = x[at];
  right[i] = x[at + params.half];`,
  ),
  workgroups: ({ rows, half }) => threads(rows * half),
  reference: ({ x, left, right }, { rows, half }) => {
    for (let r = 0; r < rows; r++) {
      left.set(x.subarray(2 * r * half, (2 * r + 1) * half), r * half);
      right.set(x.subarray((2 * r + 1) * half, (2 * r + 2) * half), r * half);
    }
  },
});

/** dx[r, c] (+)= dLeft[r, c], dx[r, half + c] (+)= dRight[r, c]. */
export const splitColumnsGradient = defineKernel({
  name: 'splitColumnsGradient',
  buffers: { dLeft: 'read', dRight: 'read', dx: 'read_write' },
  params: { rows: 'u32', half: 'u32', accumulate: 'u32' },
  wgsl: perCell(
    'params.half',
    `let at = 2u * row * params.half + column;
  ${put('dx[at]', 'dLeft[i]')}
  ${put('dx[at + params.half]', 'dRight[i]')}`,
  ),
  workgroups: ({ rows, half }) => threads(rows * half),
  reference: ({ dLeft, dRight, dx }, { rows, half, accumulate }) => {
    for (let i = 0; i < rows * half; i++) {
      const to = i + Math.floor(i / half) * half;
      putAt(dx, to, dLeft[i]!, accumulate);
      putAt(dx, to + half, dRight[i]!, accumulate);
    }
  },
});

/** y[r, c] = x[r, c] for c < keep[r], else 0. */
export const keepFirst = defineKernel({
  name: 'keepFirst',
  buffers: { x: 'read', keep: 'read', y: 'read_write' },
  params: { rows: 'u32', width: 'u32' },
  wgsl: perCell('params.width', 'y[i] = select(0.0, x[i], f32(column) < keep[row]);'),
  workgroups: ({ rows, width }) => threads(rows * width),
  reference: ({ x, keep, y }, { rows, width }) => {
    for (let i = 0; i < rows * width; i++) y[i] = i % width < keep[Math.floor(i / width)]! ? x[i]! : 0;
  },
});

/** dx[r, c] (+)= dy[r, c] for c < keep[r]. */
export const keepFirstGradient = defineKernel({
  name: 'keepFirstGradient',
  buffers: { dy: 'read', keep: 'read', dx: 'read_write' },
  params: { rows: 'u32', width: 'u32', accumulate: 'u32' },
  wgsl: perCell('params.width', put('dx[i]', 'select(0.0, dy[i], f32(column) < keep[row])')),
  workgroups: ({ rows, width }) => threads(rows * width),
  reference: ({ dy, keep, dx }, { rows, width, accumulate }) => {
    for (let i = 0; i < rows * width; i++) {
      const kept = i % width < keep[Math.floor(i / width)]!;
      putAt(dx, i, kept ? dy[i]! : 0, accumulate);
    }
  },
});
