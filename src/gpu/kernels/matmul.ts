/**
 * The one matrix product: C[m, n] (+)= Σ_k A[m, k]·B[k, n], each operand given by two strides, so that x·Wᵀ, dY·W and dYᵀ·x
 * are the same kernel.
 *
 * GPU: a workgroup of 8×8 threads makes a 32×32 tile, 4×4 results a thread, over slices of 16 k in workgroup memory.
 * CPU: the usual packing (Goto and van de Geijn 2008): both operands are copied into panels of a few lines, contiguous
 * along k, so that the inner 4×8 product reads memory in order whatever the strides.
 */
import { defineKernel } from '../backend.ts';
import { LEFT_LINES, RIGHT_LINES, simd } from './simd.ts';

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

export const matmul = defineKernel({
  name: 'matmul',
  buffers: { a: 'read', b: 'read', c: 'read_write' },
  params: {
    m: 'u32',
    k: 'u32',
    n: 'u32',
    aRow: 'u32',
    aDepth: 'u32',
    bColumn: 'u32',
    bDepth: 'u32',
    accumulate: 'u32',
  },
  wgsl: `
var<workgroup> aTile: array<vec4f, 128>;
var<workgroup> bTile: array<vec4f, 128>;
fn loadA(line: u32, depth: u32) -> f32 {
  return select(0.0, a[line * params.aRow + depth * params.aDepth], line < params.m && depth < params.k);
}
fn loadB(line: u32, depth: u32) -> f32 {
  return select(0.0, b[line * params.bColumn + depth * params.bDepth], line < params.n && depth < params.k);
}
fn storeRow(row: u32, column: u32, values: vec4f) {
  for (var j = 0u; j < 4u; j++) {
    if (row < params.m && column + j < params.n) {
      let at = row * params.n + column + j;
      c[at] = select(0.0, c[at], params.accumulate == 1u) + values[j];
    }
  }
}
// The four rows of a thread's results have names: SwiftShader keeps arrays in memory.
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
  for (var start = 0u; start < params.k; start += 16u) {
    for (var e = lane; e < 128u; e += 64u) {
      let depth = start + e % 16u;
      let line = 4u * (e / 16u);
      let slot = (e % 16u) * 8u + e / 16u;
      let r = rowStart + line;
      let q = columnStart + line;
      aTile[slot] = vec4f(loadA(r, depth), loadA(r + 1u, depth), loadA(r + 2u, depth), loadA(r + 3u, depth));
      bTile[slot] = vec4f(loadB(q, depth), loadB(q + 1u, depth), loadB(q + 2u, depth), loadB(q + 3u, depth));
    }
    workgroupBarrier();
    for (var step = 0u; step < 16u; step++) {
      let left = aTile[step * 8u + rowBlock];
      let right = bTile[step * 8u + columnBlock];
      row0 += left.x * right;
      row1 += left.y * right;
      row2 += left.z * right;
      row3 += left.w * right;
    }
    workgroupBarrier();
  }
  let row = rowStart + 4u * rowBlock;
  let column = columnStart + 4u * columnBlock;
  storeRow(row, column, row0);
  storeRow(row + 1u, column, row1);
  storeRow(row + 2u, column, row2);
  storeRow(row + 3u, column, row3);
}`,
  workgroups: ({ m, n }) => [Math.ceil(n / TILE), Math.ceil(m / TILE)],
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
