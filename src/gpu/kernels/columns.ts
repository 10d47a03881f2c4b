/**
 * Kernels that pick or fold columns of row-major matrices [rows, width]: slices, the first k units of a row (nested
 * dropout, truncation), and a row vector spread over all rows (bias) with its gradient.
 */
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

/** y[r, c] = x[r, start + c] for c < count. */
export const sliceColumns = defineKernel({
  name: 'sliceColumns',
  buffers: { x: 'read', y: 'read_write' },
  params: { rows: 'u32', width: 'u32', start: 'u32', count: 'u32' },
  wgsl: perCell('params.count', 'y[i] = x[row * params.width + params.start + column];'),
  workgroups: ({ rows, count }) => threads(rows * count),
  reference: ({ x, y }, { rows, width, start, count }) => {
    for (let r = 0; r < rows; r++) {
      y.set(x.subarray(r * width + start, r * width + start + count), r * count);
    }
  },
});

/** dx[r, start + c] (+)= dy[r, c] for c < count, the other columns (+)= 0. */
export const sliceColumnsGradient = defineKernel({
  name: 'sliceColumnsGradient',
  buffers: { dy: 'read', dx: 'read_write' },
  params: { rows: 'u32', width: 'u32', start: 'u32', count: 'u32', accumulate: 'u32' },
  wgsl: perCell(
    'params.width',
    `let taken = column - params.start;
  let inside = column >= params.start && taken < params.count;
  ${put('dx[i]', 'select(0.0, dy[row * params.count + taken], inside)')}`,
  ),
  workgroups: ({ rows, width }) => threads(rows * width),
  reference: ({ dy, dx }, { rows, width, start, count, accumulate }) => {
    for (let i = 0; i < rows * width; i++) {
      const from = (i % width) - start;
      const inside = from >= 0 && from < count;
      putAt(dx, i, inside ? dy[Math.floor(i / width) * count + from]! : 0, accumulate);
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

/** y[r, c] = vector[c]. */
export const broadcastRow = defineKernel({
  name: 'broadcastRow',
  buffers: { vector: 'read', y: 'read_write' },
  params: { rows: 'u32', width: 'u32' },
  wgsl: perCell('params.width', 'y[i] = vector[column];'),
  workgroups: ({ rows, width }) => threads(rows * width),
  reference: ({ vector, y }, { rows, width }) => {
    for (let r = 0; r < rows; r++) y.set(vector.subarray(0, width), r * width);
  },
});

/** sum[c] (+)= Σ_r x[r, c]. */
export const columnSum = defineKernel({
  name: 'columnSum',
  buffers: { x: 'read', sum: 'read_write' },
  params: { rows: 'u32', width: 'u32', accumulate: 'u32' },
  wgsl: perThread(
    'params.width',
    `var total = 0.0;
  for (var row = 0u; row < params.rows; row++) { total += x[row * params.width + i]; }
  ${put('sum[i]', 'total')}`,
  ),
  workgroups: ({ width }) => threads(width),
  reference: ({ x, sum }, { rows, width, accumulate }) => {
    const total = new Float64Array(width);
    for (let i = 0; i < rows * width; i++) total[i % width]! += x[i]!;
    for (let c = 0; c < width; c++) putAt(sum, c, total[c]!, accumulate);
  },
});
