/**
 * The one matrix product: C[m, n] (+)= Σ_k A[m, k]·B[k, n], each operand given by two strides, so that x·Wᵀ, dY·W and dYᵀ·x
 * are the same kernel. Two more of it do a linear layer's bias on the way: it is added where the results are stored, and
 * its gradient is the sum of A's lines, which the product reads anyway.
 *
 * GPU: a workgroup of 8×8 threads makes a 32×32 tile, 4×4 results a thread, over slices of 16 k in workgroup memory.
 * CPU: the usual packing (Goto and van de Geijn 2008): both operands are copied into panels of a few lines, contiguous
 * along k, so that the inner 4×8 product reads memory in order whatever the strides.
 */
import { defineKernel } from '../backend.ts';
import { LEFT_LINES, RIGHT_LINES, simd } from './simd.ts';
import { put, putAt } from './threads.ts';

const TILE = 32;

/** How an operand lies in memory: m or n lines of k elements. */
interface Lines {
  readonly count: number;
  readonly stride: number;
  readonly depth: number;
  readonly depthStride: number;
}

/** The call's parameters for row-major operands: which of them are read transposed. */
export function productParams(
  [m, k, n]: readonly [number, number, number],
  { transposeA = false, transposeB = false, accumulate = 0 },
) {
  return {
    m,
    k,
    n,
    aRow: transposeA ? 1 : k,
    aDepth: transposeA ? m : 1,
    bColumn: transposeB ? k : 1,
    bDepth: transposeB ? 1 : n,
    accumulate,
  };
}

const PARAMS = {
  m: 'u32',
  k: 'u32',
  n: 'u32',
  aRow: 'u32',
  aDepth: 'u32',
  bColumn: 'u32',
  bDepth: 'u32',
  accumulate: 'u32',
} as const;

const IN_PLACE = 'select(0.0, c[at], params.accumulate == 1u)';

/** `initial`: what the result at c[at] is added to. */
const loadsAndStores = (initial: string): string => `
var<workgroup> aTile: array<vec4f, 128>;
var<workgroup> bTile: array<vec4f, 128>;
fn loadA(line: u32, depth: u32) -> f32 {
  return select(0.0, a[line * params.aRow + depth * params.aDepth], line < params.m && depth < params.k);
}
fn loadB(line: u32, depth: u32) -> f32 {
  return select(0.0, b[line * params.bColumn + depth * params.bDepth], line < params.n && depth < params.k);
}
fn loadTiles(rowStart: u32, columnStart: u32, start: u32, lane: u32) {
  for (var e = lane; e < 128u; e += 64u) {
    let depth = start + e % 16u;
    let line = 4u * (e / 16u);
    let slot = (e % 16u) * 8u + e / 16u;
    let r = rowStart + line;
    let q = columnStart + line;
    aTile[slot] = vec4f(loadA(r, depth), loadA(r + 1u, depth), loadA(r + 2u, depth), loadA(r + 3u, depth));
    bTile[slot] = vec4f(loadB(q, depth), loadB(q + 1u, depth), loadB(q + 2u, depth), loadB(q + 3u, depth));
  }
}
fn storeRow(row: u32, column: u32, values: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (row < params.m && column + j < params.n) {
      let at = row * params.n + column + j;
      c[at] = ${initial} + values[j];
    }
  }
}
`;

/**
 * WGSL of the product; `eachStep` runs at each step along k, `last` behind the results. The four rows of a thread's results have
 * names: SwiftShader keeps arrays in memory.
 */
function product(initial: string, { before = '', eachStep = '', last = '' } = {}): string {
  return `${loadsAndStores(initial)}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rowStart = group.y * ${TILE}u;
  let columnStart = group.x * ${TILE}u;
  let rowBlock = lane / 8u;
  let columnBlock = lane % 8u;
  var row0 = vec4f();
  var row1 = vec4f();
  var row2 = vec4f();
  var row3 = vec4f();
  ${before}
  for (var start = 0u; start < params.k; start += 16u) {
    loadTiles(rowStart, columnStart, start, lane);
    workgroupBarrier();
    for (var step = 0u; step < 16u; step++) {
      let left = aTile[step * 8u + rowBlock];
      let right = bTile[step * 8u + columnBlock];
      row0 += left.x * right;
      row1 += left.y * right;
      row2 += left.z * right;
      row3 += left.w * right;
      ${eachStep}
    }
    workgroupBarrier();
  }
  let row = rowStart + 4u * rowBlock;
  let column = columnStart + 4u * columnBlock;
  storeRow(row, column, row0);
  storeRow(row + 1u, column, row1);
  storeRow(row + 2u, column, row2);
  storeRow(row + 3u, column, row3);
  ${last}
}`;
}

function tiles(m: number, n: number): readonly [number, number] {
  return [Math.ceil(n / TILE), Math.ceil(m / TILE)];
}

export const matmul = defineKernel({
  name: 'matmul',
  buffers: { a: 'read', b: 'read', c: 'read_write' },
  params: PARAMS,
  wgsl: product(IN_PLACE),
  workgroups: ({ m, n }) => tiles(m, n),
  reference: ({ a, b, c }, p) => {
    if (p.accumulate === 0) c.fill(0, 0, p.m * p.n);
    const left = { count: p.m, stride: p.aRow, depth: p.k, depthStride: p.aDepth };
    const right = { count: p.n, stride: p.bColumn, depth: p.k, depthStride: p.bDepth };
    const rightStart = packedSize(left, LEFT_LINES);
    const blockStart = rightStart + packedSize(right, RIGHT_LINES);
    const { memory, multiply } = simd(blockStart + LEFT_LINES * RIGHT_LINES);
    pack(a, left, LEFT_LINES, memory.subarray(0, rightStart));
    pack(b, right, RIGHT_LINES, memory.subarray(rightStart, blockStart));
    const block = memory.subarray(blockStart);
    for (let row = 0; row < p.m; row += LEFT_LINES) {
      for (let column = 0; column < p.n; column += RIGHT_LINES) {
        const rightPanel = rightStart + column * p.k;
        multiply(4 * row * p.k, 4 * rightPanel, 4 * blockStart, 4 * (row + LEFT_LINES) * p.k);
        addBlock(c, block, row, column, p.m, p.n);
      }
    }
  },
});

/** C[m, n] = A·B + bias[n]. */
export const matmulBias = defineKernel({
  name: 'matmulBias',
  buffers: { a: 'read', b: 'read', bias: 'read', c: 'read_write' },
  params: PARAMS,
  wgsl: product('bias[column + j]'),
  workgroups: ({ m, n }) => tiles(m, n),
  reference: ({ a, b, bias, c }, p) => {
    for (let row = 0; row < p.m; row++) c.set(bias.subarray(0, p.n), row * p.n);
    matmul.reference({ a, b, c }, { ...p, accumulate: 1 });
  },
});

/** C[m, n] (+)= A·B and sums[m] (+)= Σ_k A[m, k]; each adds or writes by a parameter of its own. */
export const matmulSums = defineKernel({
  name: 'matmulSums',
  buffers: { a: 'read', b: 'read', c: 'read_write', sums: 'read_write' },
  params: { ...PARAMS, addSums: 'u32' },
  wgsl: product(IN_PLACE, {
    before: 'var totals = vec4f();',
    eachStep: 'totals += left;',
    last: `
  if (group.x == 0u && columnBlock == 0u) {
    for (var j = 0u; j < 4u; j++) {
      if (row + j < params.m) { ${put('sums[row + j]', 'totals[j]', 'addSums')} }
    }
  }`,
  }),
  workgroups: ({ m, n }) => tiles(m, n),
  reference: ({ a, b, c, sums }, { addSums, ...p }) => {
    matmul.reference({ a, b, c }, p);
    const totals = new Float64Array(p.m);
    for (let d = 0; d < p.k; d++) {
      for (let line = 0; line < p.m; line++) totals[line]! += a[line * p.aRow + d * p.aDepth]!;
    }
    for (let line = 0; line < p.m; line++) putAt(sums, line, totals[line]!, addSums);
  },
});

function packedSize({ count, depth }: Lines, panelLines: number): number {
  return Math.ceil(count / panelLines) * panelLines * depth;
}

/** Panels of some lines side by side, [⌈count / panelLines⌉, depth, panelLines]; missing lines are 0. */
function pack(source: Float32Array, lines: Lines, panelLines: number, packed: Float32Array): void {
  const { count, stride, depth, depthStride } = lines;
  let at = 0;
  for (let first = 0; first < count; first += panelLines) {
    const present = Math.min(panelLines, count - first);
    for (let d = 0; d < depth; d++) {
      const start = first * stride + d * depthStride;
      for (let i = 0; i < present; i++) packed[at + i] = source[start + i * stride]!;
      for (let i = present; i < panelLines; i++) packed[at + i] = 0;
      at += panelLines;
    }
  }
}

function addBlock(
  c: Float32Array,
  block: Float32Array,
  row: number,
  column: number,
  m: number,
  n: number,
): void {
  const rows = Math.min(LEFT_LINES, m - row);
  const columns = Math.min(RIGHT_LINES, n - column);
  for (let i = 0; i < rows; i++) {
    const start = (row + i) * n + column;
    for (let j = 0; j < columns; j++) c[start + j]! += block[RIGHT_LINES * i + j]!;
  }
}
