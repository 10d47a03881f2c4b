/**
 * Differentiable operations: each runs its kernels and notes its derivative on the tape. All tensors are row-major
 * matrices [rows, width] unless said otherwise; the formulas stand beside the kernels.
 */
import { AppError } from '../lib/errors.ts';
import * as columns from './kernels/columns.ts';
import { matmul, matmulBias, matmulSums, productParams } from './kernels/matmul.ts';
import * as rowKernels from './kernels/rows.ts';
import type { Tensor } from './parameters.ts';
import type { Tape } from './tape.ts';

function matrix(op: string, tensor: Tensor): { rows: number; width: number } {
  const [rows, width] = tensor.shape;
  if (tensor.shape.length !== 2 || rows === undefined || width === undefined) {
    throw new AppError(
      'gpu.shape',
      `${op} expects a matrix [rows, width], found [${tensor.shape.join(', ')}].`,
    );
  }
  return { rows, width };
}

function expectShape(op: string, role: string, tensor: Tensor, expected: readonly number[]): void {
  if (tensor.shape.length === expected.length && tensor.shape.every((extent, i) => extent === expected[i]))
    return;
  throw new AppError(
    'gpu.shape',
    `${op} expects ${role} of shape [${expected.join(', ')}], found [${tensor.shape.join(', ')}].`,
  );
}

/** x[R, I] · weight[O, I]ᵀ + bias[O] → [R, O]. */
export function linear(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { backend } = tape;
  const { rows, width: inputs } = matrix('linear', x);
  const outputs = weight.shape[0] ?? 0;
  expectShape('linear', 'a weight', weight, [outputs, inputs]);
  expectShape('linear', 'a bias', bias, [outputs]);
  const y = tape.output([rows, outputs], [x, weight, bias]);
  const operands = { a: x.buffer, b: weight.buffer, bias: bias.buffer, c: y.buffer };
  backend.run(matmulBias, operands, productParams([rows, inputs, outputs], { transposeB: true }));
  tape.record(y, (dy) => {
    if (x.needsGradient) {
      const dx = tape.gradientTarget(x);
      const toX = productParams([rows, outputs, inputs], { accumulate: dx.accumulate });
      backend.run(matmul, { a: dy, b: weight.buffer, c: dx.buffer }, toX);
    }
    const [dWeight, dBias] = [tape.gradientTarget(weight), tape.gradientTarget(bias)];
    const { accumulate } = dWeight;
    const toWeight = productParams([outputs, rows, inputs], { transposeA: true, accumulate });
    const targets = { a: dy, b: x.buffer, c: dWeight.buffer, sums: dBias.buffer };
    backend.run(matmulSums, targets, { ...toWeight, addSums: dBias.accumulate });
  });
  return y;
}

/** LayerNorm of every row of x[R, C] with weight[C] and bias[C], then LeakyReLU: what is negative, times 0.01. */
export function layerNormLeakyRelu(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { backend } = tape;
  const size = matrix('layerNormLeakyRelu', x);
  expectShape('layerNormLeakyRelu', 'a weight', weight, [size.width]);
  expectShape('layerNormLeakyRelu', 'a bias', bias, [size.width]);
  const y = tape.output(x.shape, [x, weight, bias]);
  const stats = tape.scratch(2 * size.rows);
  const inputs = { x: x.buffer, weight: weight.buffer, bias: bias.buffer };
  backend.run(rowKernels.layerNormLeakyRelu, { ...inputs, y: y.buffer, stats }, size);
  tape.record(y, (dy) => {
    if (x.needsGradient) {
      const { buffer: dx, accumulate } = tape.gradientTarget(x);
      const buffers = { x: x.buffer, stats, weight: weight.buffer, y: y.buffer, dy, dx };
      backend.run(rowKernels.layerNormLeakyReluGradient, buffers, { ...size, accumulate });
    }
    const [dWeight, dBias] = [tape.gradientTarget(weight), tape.gradientTarget(bias)];
    const buffers = { x: x.buffer, stats, y: y.buffer, dy, dWeight: dWeight.buffer, dBias: dBias.buffer };
    const params = { ...size, addWeight: dWeight.accumulate, addBias: dBias.accumulate };
    backend.run(rowKernels.layerNormLeakyReluParameterGradient, buffers, params);
  });
  return y;
}

/** Row r of x[R, C] with only its first keep[r] columns; the rest is 0. `keep` is [R] and gets no gradient. */
export function keepFirst(tape: Tape, x: Tensor, keep: Tensor): Tensor {
  const size = matrix('keepFirst', x);
  expectShape('keepFirst', 'one count a row', keep, [size.rows]);
  const y = tape.output(x.shape, [x]);
  tape.backend.run(columns.keepFirst, { x: x.buffer, keep: keep.buffer, y: y.buffer }, size);
  tape.record(y, (dy) => {
    const { buffer: dx, accumulate } = tape.gradientTarget(x);
    tape.backend.run(columns.keepFirstGradient, { dy, keep: keep.buffer, dx }, { ...size, accumulate });
  });
  return y;
}

/** The left and the right half of x[R, 2H]'s columns, [R, H] each. */
export function splitColumns(tape: Tape, x: Tensor): [left: Tensor, right: Tensor] {
  const { rows, width } = matrix('splitColumns', x);
  const half = width / 2;
  if (!Number.isInteger(half))
    throw new AppError('gpu.shape', `splitColumns expects an even number of columns, found ${width}.`);
  const [left, right] = [tape.output([rows, half], [x]), tape.output([rows, half], [x])];
  const buffers = { x: x.buffer, left: left.buffer, right: right.buffer };
  tape.backend.run(columns.splitColumns, buffers, { rows, half });
  tape.recordAll([left, right], ([dLeft, dRight]) => {
    const { buffer: dx, accumulate } = tape.gradientTarget(x);
    const gradients = { dLeft: dLeft!, dRight: dRight!, dx };
    tape.backend.run(columns.splitColumnsGradient, gradients, { rows, half, accumulate });
  });
  return [left, right];
}

/** Every row of x scaled to the L2 norm `scale`. */
export function normalizeRows(tape: Tape, x: Tensor, scale: number): Tensor {
  const params = { ...matrix('normalizeRows', x), scale };
  const y = tape.output(x.shape, [x]);
  tape.backend.run(rowKernels.normalizeRows, { x: x.buffer, y: y.buffer }, params);
  tape.record(y, (dy) => {
    const { buffer: dx, accumulate } = tape.gradientTarget(x);
    tape.backend.run(rowKernels.normalizeRowsGradient, { x: x.buffer, dy, dx }, { ...params, accumulate });
  });
  return y;
}
