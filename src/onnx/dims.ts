/**
 * Dimensions of a graph whose batch size B is free. A dimension is a number, or a multiple of B written
 * `{ batch: n }` = n·B (attention that folds heads into the batch has 8·B). Shape arithmetic of exported
 * graphs stays inside these two forms; anything else (B + 1, B²) is an error naming the operation.
 */
import { AppError } from '../lib/errors.ts';

export interface BatchDim {
  readonly batch: number;
}
export type Dim = number | BatchDim;

export const BATCH: BatchDim = { batch: 1 };

export function isBatch(dim: Dim): dim is BatchDim {
  return typeof dim === 'object';
}

export function sameDim(a: Dim, b: Dim): boolean {
  return isBatch(a) ? isBatch(b) && a.batch === b.batch : a === b;
}

export function sameDims(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!));
}

/** `2B×4×8` for messages. */
export function showDims(dims: readonly Dim[]): string {
  const show = (dim: Dim) => (isBatch(dim) ? `${dim.batch === 1 ? '' : dim.batch}B` : String(dim));
  return `[${dims.map(show).join(', ')}]`;
}

function unsupported(operation: string, a: Dim, b: Dim): AppError {
  const message = `expected shape arithmetic of numbers and multiples of the batch, found ${showDims([a])} ${operation} ${showDims([b])}; export the model with a dynamic batch only`;
  return new AppError('onnx.shapeArithmetic', message);
}

const multiple = (batch: number): Dim => (batch === 0 ? 0 : { batch });

export function addDims(a: Dim, b: Dim): Dim {
  if (!isBatch(a) && !isBatch(b)) return a + b;
  if (isBatch(a) && isBatch(b)) return multiple(a.batch + b.batch);
  if (a === 0) return b;
  if (b === 0) return a;
  throw unsupported('+', a, b);
}

export function mulDims(a: Dim, b: Dim): Dim {
  if (!isBatch(a) && !isBatch(b)) return a * b;
  if (!isBatch(b)) return multiple((a as BatchDim).batch * b);
  if (!isBatch(a)) return multiple(b.batch * a);
  throw unsupported('×', a, b);
}

export function divDims(a: Dim, b: Dim): Dim {
  if (!isBatch(a) && !isBatch(b)) return a / b;
  if (isBatch(a) && isBatch(b)) return a.batch / b.batch;
  if (isBatch(a) && !isBatch(b) && a.batch % b === 0) return multiple(a.batch / b);
  throw unsupported('÷', a, b);
}

/** Number of elements; B at most to the first power. */
export function countElements(dims: readonly Dim[]): Dim {
  return dims.reduce(mulDims, 1);
}

/** The dimension as a number; `where` names what needs it fixed. */
export function fixedDim(dim: Dim | undefined, where: string): number {
  if (typeof dim === 'number') return dim;
  const found = dim === undefined ? 'none' : showDims([dim]);
  throw new AppError('onnx.freeDimension', `expected a fixed dimension for ${where}, found ${found}`);
}

/** All dimensions as numbers; `where` names what needs them fixed. */
export function fixedDims(dims: readonly Dim[], where: string): number[] {
  return dims.map((dim) => fixedDim(dim, where));
}

/** Numpy broadcasting of two shapes. */
export function broadcastDims(a: readonly Dim[], b: readonly Dim[]): Dim[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === 1) return y;
    if (y === 1 || sameDim(x, y)) return x;
    throw new AppError(
      'onnx.broadcast',
      `expected shapes that broadcast, found ${showDims(a)} and ${showDims(b)}; check the sizes in config.json`,
    );
  });
}

/** An axis, or an index along one of this size, a negative one counted from the end. Throws `onnx.axis` for one beyond. */
export function normalAxis(axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(normal) && normal >= 0 && normal < rank) return normal;
  throw new AppError(
    'onnx.axis',
    `expected a whole number from ${-rank} to ${rank - 1} for an axis or an index, found ${axis}; download the model again`,
  );
}

/** `i` for each of `rank` axes. */
export function range(rank: number): number[] {
  return Array.from({ length: rank }, (_, i) => i);
}
