/**
 * Kernels that reduce each row of a matrix [rows, width]: LayerNorm (Ba et al. 2016) followed by LeakyReLU, and scaling a row
 * to a given L2 norm, with their derivatives. On the GPU one workgroup works on one row.
 *
 * LayerNorm and LeakyReLU σ, with x̂ = (x − mean)·r and r = 1/√(var + eps):
 *   y = σ(x̂·γ + β),  dx = r·(g − mean(g) − x̂·mean(g·x̂)) with g = dy·σ′·γ,  dγ = Σ dy·σ′·x̂,  dβ = Σ dy·σ′ (sums over rows).
 * σ keeps the sign, so y tells the slope σ′.
 * Row norm, with n = max(‖x‖, 1e-12):  y = s·x/n,  dx = s/n·(dy − x·(x·dy)/n²).
 */
import { defineKernel } from '../backend.ts';
import { perThread, put, putAt, threads } from './threads.ts';

const LANES = 64;
const SMALLEST_NORM = 1e-12;
/** PyTorch's defaults of LayerNorm and of LeakyReLU. */
const EPSILON = 1e-5;
const SLOPE = 0.01;

/** WGSL of an entry point for one row each; `sumRow(v)` adds a pair of numbers over the row's lanes. */
function perRow(statements: string): string {
  return `
var<workgroup> lanes: array<vec2f, ${LANES}>;
fn sumRow(value: vec2f, lane: u32) -> vec2f {
  workgroupBarrier();
  lanes[lane] = value;
  for (var reach = ${LANES / 2}u; reach > 0u; reach /= 2u) {
    workgroupBarrier();
    if (lane < reach) { lanes[lane] += lanes[lane + reach]; }
  }
  workgroupBarrier();
  return lanes[0];
}
@compute @workgroup_size(${LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let start = row * params.width;
  let end = start + params.width;
  let count = f32(params.width);
  ${statements}
}`;
}

const loop = (statement: string): string =>
  `for (var i = start + lane; i < end; i += ${LANES}u) { ${statement} }`;

const slope = (positive: string): string => `select(${SLOPE}, 1.0, ${positive} > 0.0)`;
const slopeOf = (y: number): number => (y > 0 ? 1 : SLOPE);

/** y = σ(x̂·weight + bias); stats[r] = (mean, 1/√(variance + eps)). */
export const layerNormLeakyRelu = defineKernel({
  name: 'layerNormLeakyRelu',
  buffers: { x: 'read', weight: 'read', bias: 'read', y: 'read_write', stats: 'read_write' },
  params: { rows: 'u32', width: 'u32' },
  wgsl: perRow(`
  var total = 0.0;
  ${loop('total += x[i];')}
  let mean = sumRow(vec2f(total, 0.0), lane).x / count;
  var squares = 0.0;
  ${loop('squares += (x[i] - mean) * (x[i] - mean);')}
  let r = 1.0 / sqrt(sumRow(vec2f(squares, 0.0), lane).x / count + ${EPSILON});
  ${loop(`let z = (x[i] - mean) * r * weight[i - start] + bias[i - start]; y[i] = ${slope('z')} * z;`)}
  if (lane == 0u) { stats[2u * row] = mean; stats[2u * row + 1u] = r; }`),
  workgroups: ({ rows }) => [rows, 1],
  reference: ({ x, weight, bias, y, stats }, { rows, width }) => {
    for (let row = 0; row < rows; row++) {
      const start = row * width;
      let mean = 0;
      for (let c = 0; c < width; c++) mean += x[start + c]! / width;
      let variance = 0;
      for (let c = 0; c < width; c++) variance += (x[start + c]! - mean) ** 2 / width;
      const r = 1 / Math.sqrt(variance + EPSILON);
      for (let c = 0; c < width; c++) {
        const z = (x[start + c]! - mean) * r * weight[c]! + bias[c]!;
        y[start + c] = slopeOf(z) * z;
      }
      stats[2 * row] = mean;
      stats[2 * row + 1] = r;
    }
  },
});

/** dx (+)= r·(g − mean(g) − x̂·mean(g·x̂)), g = dy·σ′·weight. */
export const layerNormLeakyReluGradient = defineKernel({
  name: 'layerNormLeakyReluGradient',
  buffers: { x: 'read', stats: 'read', weight: 'read', y: 'read', dy: 'read', dx: 'read_write' },
  params: { rows: 'u32', width: 'u32', accumulate: 'u32' },
  wgsl: perRow(`
  let mean = stats[2u * row];
  let r = stats[2u * row + 1u];
  var sums = vec2f(0.0);
  ${loop(`let g = dy[i] * ${slope('y[i]')} * weight[i - start]; sums += vec2f(g, g * (x[i] - mean) * r);`)}
  let means = sumRow(sums, lane) / count;
  ${loop(`let g = dy[i] * ${slope('y[i]')} * weight[i - start]; ${put('dx[i]', 'r * (g - means.x - (x[i] - mean) * r * means.y)')}`)}`),
  workgroups: ({ rows }) => [rows, 1],
  reference: ({ x, stats, weight, y, dy, dx }, { rows, width, accumulate }) => {
    for (let row = 0; row < rows; row++) {
      const start = row * width;
      const mean = stats[2 * row]!;
      const r = stats[2 * row + 1]!;
      const gradient = (c: number) => dy[start + c]! * slopeOf(y[start + c]!) * weight[c]!;
      let meanG = 0;
      let meanGX = 0;
      for (let c = 0; c < width; c++) {
        meanG += gradient(c) / width;
        meanGX += (gradient(c) * (x[start + c]! - mean) * r) / width;
      }
      for (let c = 0; c < width; c++) {
        const normalised = (x[start + c]! - mean) * r;
        putAt(dx, start + c, r * (gradient(c) - meanG - normalised * meanGX), accumulate);
      }
    }
  },
});

/** dWeight[c] (+)= Σ_r dy·σ′·x̂, dBias[c] (+)= Σ_r dy·σ′; each adds or writes by a parameter of its own. */
export const layerNormLeakyReluParameterGradient = defineKernel({
  name: 'layerNormLeakyReluParameterGradient',
  buffers: { x: 'read', stats: 'read', y: 'read', dy: 'read', dWeight: 'read_write', dBias: 'read_write' },
  params: { rows: 'u32', width: 'u32', addWeight: 'u32', addBias: 'u32' },
  wgsl: perThread(
    'params.width',
    `var weightTotal = 0.0;
  var biasTotal = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.width + i;
    let g = dy[at] * ${slope('y[at]')};
    weightTotal += g * (x[at] - stats[2u * row]) * stats[2u * row + 1u];
    biasTotal += g;
  }
  ${put('dWeight[i]', 'weightTotal', 'addWeight')}
  ${put('dBias[i]', 'biasTotal', 'addBias')}`,
  ),
  workgroups: ({ width }) => threads(width),
  reference: ({ x, stats, y, dy, dWeight, dBias }, { rows, width, addWeight, addBias }) => {
    for (let c = 0; c < width; c++) {
      let weightTotal = 0;
      let biasTotal = 0;
      for (let row = 0; row < rows; row++) {
        const i = row * width + c;
        const g = dy[i]! * slopeOf(y[i]!);
        weightTotal += g * (x[i]! - stats[2 * row]!) * stats[2 * row + 1]!;
        biasTotal += g;
      }
      putAt(dWeight, c, weightTotal, addWeight);
      putAt(dBias, c, biasTotal, addBias);
    }
  },
});

/** y = scale·x/n, n the L2 norm of the row. */
export const normalizeRows = defineKernel({
  name: 'normalizeRows',
  buffers: { x: 'read', y: 'read_write' },
  params: { rows: 'u32', width: 'u32', scale: 'f32' },
  wgsl: perRow(`
  var squares = 0.0;
  ${loop('squares += x[i] * x[i];')}
  let factor = params.scale / max(sqrt(sumRow(vec2f(squares, 0.0), lane).x), ${SMALLEST_NORM});
  ${loop('y[i] = x[i] * factor;')}`),
  workgroups: ({ rows }) => [rows, 1],
  reference: ({ x, y }, { rows, width, scale }) => {
    for (let start = 0; start < rows * width; start += width) {
      let squares = 0;
      for (let c = 0; c < width; c++) squares += x[start + c]! ** 2;
      const factor = scale / Math.max(Math.sqrt(squares), SMALLEST_NORM);
      for (let c = 0; c < width; c++) y[start + c] = x[start + c]! * factor;
    }
  },
});

/** dx (+)= scale/n·(dy − x·(x·dy)/n²). */
export const normalizeRowsGradient = defineKernel({
  name: 'normalizeRowsGradient',
  buffers: { x: 'read', dy: 'read', dx: 'read_write' },
  params: { rows: 'u32', width: 'u32', scale: 'f32', accumulate: 'u32' },
  wgsl: perRow(`
  var partials = vec2f(0.0);
  ${loop('partials += vec2f(x[i] * x[i], x[i] * dy[i]);')}
  let sums = sumRow(partials, lane);
  let norm = max(sqrt(sums.x), ${SMALLEST_NORM});
  ${loop(put('dx[i]', 'params.scale / norm * (dy[i] - x[i] / norm * (sums.y / norm))'))}`),
  workgroups: ({ rows }) => [rows, 1],
  reference: ({ x, dy, dx }, { rows, width, scale, accumulate }) => {
    for (let start = 0; start < rows * width; start += width) {
      let squares = 0;
      let product = 0;
      for (let c = 0; c < width; c++) {
        squares += x[start + c]! ** 2;
        product += x[start + c]! * dy[start + c]!;
      }
      const norm = Math.max(Math.sqrt(squares), SMALLEST_NORM);
      for (let c = 0; c < width; c++) {
        const slope = (scale / norm) * (dy[start + c]! - ((x[start + c]! / norm) * product) / norm);
        putAt(dx, start + c, slope, accumulate);
      }
    }
  },
});
