/**
 * Differentiable operations: each runs its kernels and notes its derivative on the tape. All tensors are row-major
 * matrices [rows, width] unless said otherwise; the formulas stand beside the kernels.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import * as columns from './kernels/columns.ts';
import { leakyRelu as leakyReluKernel, leakyReluGradient } from './kernels/elementwise.ts';
import { matmul, productParams } from './kernels/matmul.ts';
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
  backend.run(columns.broadcastRow, { vector: bias.buffer, y: y.buffer }, { rows, width: outputs });
  const forward = productParams([rows, inputs, outputs], { transposeB: true, accumulate: 1 });
  backend.run(matmul, { a: x.buffer, b: weight.buffer, c: y.buffer }, forward);
  tape.record(y, (dy) => {
    if (x.needsGradient) {
      const dx = tape.gradientTarget(x);
      const toX = productParams([rows, outputs, inputs], { accumulate: dx.accumulate });
      backend.run(matmul, { a: dy, b: weight.buffer, c: dx.buffer }, toX);
    }
    const dWeight = tape.gradientTarget(weight);
    const toWeight = productParams([outputs, rows, inputs], {
      transposeA: true,
      accumulate: dWeight.accumulate,
    });
    backend.run(matmul, { a: dy, b: x.buffer, c: dWeight.buffer }, toWeight);
    const dBias = tape.gradientTarget(bias);
    const size = { rows, width: outputs, accumulate: dBias.accumulate };
    backend.run(columns.columnSum, { x: dy, sum: dBias.buffer }, size);
  });
  return y;
}

/** LayerNorm of every row of x[R, C] with weight[C] and bias[C]. */
export function layerNorm(tape: Tape, x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { backend } = tape;
  const size = matrix('layerNorm', x);
  expectShape('layerNorm', 'a weight', weight, [size.width]);
  expectShape('layerNorm', 'a bias', bias, [size.width]);
  const y = tape.output(x.shape, [x, weight, bias]);
  const stats = tape.scratch(2 * size.rows);
  const inputs = { x: x.buffer, weight: weight.buffer, bias: bias.buffer };
  backend.run(rowKernels.layerNorm, { ...inputs, y: y.buffer, stats }, size);
  tape.record(y, (dy) => {
    if (x.needsGradient) {
      const { buffer: dx, accumulate } = tape.gradientTarget(x);
      const buffers = { x: x.buffer, stats, weight: weight.buffer, dy, dx };
      backend.run(rowKernels.layerNormGradient, buffers, { ...size, accumulate });
    }
    const [dWeight, dBias] = [tape.gradientTarget(weight), tape.gradientTarget(bias)];
    const inputs = { x: x.buffer, stats, dy, dWeight: dWeight.buffer, dBias: dBias.buffer };
    const params = { ...size, addWeight: dWeight.accumulate, addBias: dBias.accumulate };
    backend.run(rowKernels.layerNormParameterGradient, inputs, params);
  });
  return y;
}

/** x where positive, 0.01·x elsewhere; any shape. */
export function leakyRelu(tape: Tape, x: Tensor): Tensor {
  const params = { size: sizeOf(x.shape) };
  const y = tape.output(x.shape, [x]);
  tape.backend.run(leakyReluKernel, { x: x.buffer, y: y.buffer }, params);
  tape.record(y, (dy) => {
    const { buffer: dx, accumulate } = tape.gradientTarget(x);
    tape.backend.run(leakyReluGradient, { x: x.buffer, dy, dx }, { ...params, accumulate });
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

/** Columns start … start + count − 1 of x[R, C]. */
export function sliceColumns(tape: Tape, x: Tensor, start: number, count: number): Tensor {
  const { rows, width } = matrix('sliceColumns', x);
  if (start < 0 || count < 1 || start + count > width) {
    throw new AppError('gpu.shape', `sliceColumns: columns ${start}+${count} do not lie within ${width}.`);
  }
  const params = { rows, width, start, count };
  const y = tape.output([rows, count], [x]);
  tape.backend.run(columns.sliceColumns, { x: x.buffer, y: y.buffer }, params);
  tape.record(y, (dy) => {
    const { buffer: dx, accumulate } = tape.gradientTarget(x);
    tape.backend.run(columns.sliceColumnsGradient, { dy, dx }, { ...params, accumulate });
  });
  return y;
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
