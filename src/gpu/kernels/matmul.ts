/**
 * The one matrix product: C[m, n] (+)= Σ_k A[m, k]·B[k, n], each operand given by two strides, so that x·Wᵀ, dY·W and dYᵀ·x
 * are the same kernel.
 *
 * GPU: a workgroup of 8×8 threads makes a 32×32 tile, 4×4 results a thread, over slices of 16 k in workgroup memory.
 * CPU: the usual packing (Goto and van de Geijn 2008): both operands are copied into panels of 4 lines, contiguous
 * along k, so that the inner 4×4 product reads memory in order whatever the strides. Panels are float64 because
 * JavaScript multiplies in float64: converting once instead of in the inner loop saves a quarter of the time.
 */
import { defineKernel } from '../backend.ts';

const TILE = 32;
const BLOCK = 4;

interface Strides {
  readonly rows: number;
  readonly depth: number;
}

/** The call's parameters for row-major operands: which of them are read transposed. */
export function productParams(
  [m, k, n]: readonly [number, number, number],
  { transposeA = false, transposeB = false, accumulate = false },
) {
  return {
    m,
    k,
    n,
    aRow: transposeA ? 1 : k,
    aDepth: transposeA ? m : 1,
    bColumn: transposeB ? k : 1,
    bDepth: transposeB ? 1 : n,
    accumulate: accumulate ? 1 : 0,
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
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let rowStart = group.y * ${TILE}u;
  let columnStart = group.x * ${TILE}u;
  let rowBlock = lane / 8u;
  let columnBlock = lane % 8u;
  var total: array<vec4f, 4>;
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
      for (var i = 0u; i < 4u; i++) { total[i] += left[i] * right; }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    for (var j = 0u; j < 4u; j++) {
      let row = rowStart + 4u * rowBlock + i;
      let column = columnStart + 4u * columnBlock + j;
      if (row < params.m && column < params.n) {
        let at = row * params.n + column;
        c[at] = select(0.0, c[at], params.accumulate == 1u) + total[i][j];
      }
    }
  }
}`,
  workgroups: ({ m, n }) => [Math.ceil(n / TILE), Math.ceil(m / TILE)],
  reference: ({ a, b, c }, p) => {
    if (p.accumulate === 0) c.fill(0, 0, p.m * p.n);
    const left = pack(a, p.m, p.k, { rows: p.aRow, depth: p.aDepth });
    const right = pack(b, p.n, p.k, { rows: p.bColumn, depth: p.bDepth });
    const block = new Float64Array(BLOCK * BLOCK);
    for (let row = 0; row < p.m; row += BLOCK) {
      for (let column = 0; column < p.n; column += BLOCK) {
        multiplyPanels(left, row * p.k, right, column * p.k, p.k, block);
        addBlock(c, block, row, column, p.m, p.n);
      }
    }
  },
});

/** Panels of 4 lines side by side, [⌈lines/4⌉, depth, 4], padded with zero lines. */
function pack(source: Float32Array, lines: number, depth: number, stride: Strides): Float64Array {
  const packed = new Float64Array(Math.ceil(lines / BLOCK) * BLOCK * depth);
  for (let line = 0; line < lines; line++) {
    const panel = (line - (line % BLOCK)) * depth + (line % BLOCK);
    const start = line * stride.rows;
    for (let d = 0; d < depth; d++) packed[panel + d * BLOCK] = source[start + d * stride.depth]!;
  }
  return packed;
}

/** block[4, 4] = panel of A · panel of B; sixteen scalars, which the compiler keeps in registers. */
function multiplyPanels(
  left: Float64Array,
  leftStart: number,
  right: Float64Array,
  rightStart: number,
  depth: number,
  block: Float64Array,
): void {
  let [c00, c01, c02, c03, c10, c11, c12, c13] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [c20, c21, c22, c23, c30, c31, c32, c33] = [0, 0, 0, 0, 0, 0, 0, 0];
  const end = leftStart + BLOCK * depth;
  for (let i = leftStart, j = rightStart; i < end; i += BLOCK, j += BLOCK) {
    const a0 = left[i]!;
    const a1 = left[i + 1]!;
    const a2 = left[i + 2]!;
    const a3 = left[i + 3]!;
    const b0 = right[j]!;
    const b1 = right[j + 1]!;
    const b2 = right[j + 2]!;
    const b3 = right[j + 3]!;
    c00 += a0 * b0;
    c01 += a0 * b1;
    c02 += a0 * b2;
    c03 += a0 * b3;
    c10 += a1 * b0;
    c11 += a1 * b1;
    c12 += a1 * b2;
    c13 += a1 * b3;
    c20 += a2 * b0;
    c21 += a2 * b1;
    c22 += a2 * b2;
    c23 += a2 * b3;
    c30 += a3 * b0;
    c31 += a3 * b1;
    c32 += a3 * b2;
    c33 += a3 * b3;
  }
  block.set([c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33]);
}

function addBlock(
  c: Float32Array,
  block: Float64Array,
  row: number,
  column: number,
  m: number,
  n: number,
): void {
  const rows = Math.min(BLOCK, m - row);
  const columns = Math.min(BLOCK, n - column);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) c[(row + i) * n + column + j]! += block[BLOCK * i + j]!;
  }
}
