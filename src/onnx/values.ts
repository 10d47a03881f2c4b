/**
 * Tensors whose values the compiler knows: numbers, or multiples of the free batch in shape arithmetic. Reads
 * them from constants of any element type and writes inline constants.
 */
import { halfToNumber, numberToHalf } from '../lib/half.ts';
import { AppError } from '../lib/errors.ts';
import { isBatch, type Dim } from './dims.ts';
import type { Constant, ElementType } from './graph.ts';

export interface Known {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly values: readonly Dim[];
}

interface Format {
  readonly size: number;
  read(view: DataView, at: number): number;
  write(view: DataView, at: number, value: number): void;
}

const formats: Record<ElementType, Format> = {
  float32: {
    size: 4,
    read: (v, at) => v.getFloat32(at, true),
    write: (v, at, x) => v.setFloat32(at, x, true),
  },
  float64: {
    size: 8,
    read: (v, at) => v.getFloat64(at, true),
    write: (v, at, x) => v.setFloat64(at, x, true),
  },
  float16: {
    size: 2,
    read: (v, at) => halfToNumber(v.getUint16(at, true)),
    write: (v, at, x) => v.setUint16(at, numberToHalf(x), true),
  },
  bfloat16: { size: 2, read: readBfloat16, write: (v, at, x) => v.setUint16(at, bfloat16Bits(x), true) },
  int64: {
    size: 8,
    read: (v, at) => Number(v.getBigInt64(at, true)),
    write: (v, at, x) => v.setBigInt64(at, clampToInt64(x), true),
  },
  int32: { size: 4, read: (v, at) => v.getInt32(at, true), write: (v, at, x) => v.setInt32(at, x, true) },
  int16: { size: 2, read: (v, at) => v.getInt16(at, true), write: (v, at, x) => v.setInt16(at, x, true) },
  int8: { size: 1, read: (v, at) => v.getInt8(at), write: (v, at, x) => v.setInt8(at, x) },
  uint8: { size: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x) },
  bool: { size: 1, read: (v, at) => v.getUint8(at), write: (v, at, x) => v.setUint8(at, x ? 1 : 0) },
};

function readBfloat16(view: DataView, at: number): number {
  const wide = new DataView(new ArrayBuffer(4));
  wide.setUint16(0, view.getUint16(at, true));
  return wide.getFloat32(0);
}

function bfloat16Bits(value: number): number {
  const wide = new DataView(new ArrayBuffer(4));
  wide.setFloat32(0, value);
  return wide.getUint16(0);
}

/** Slice ends of "until the end" are the largest int64, which a number can only round up. */
function clampToInt64(value: number): bigint {
  if (Number.isNaN(value))
    throw new AppError(
      'onnx.number',
      'expected whole numbers in the arithmetic of shapes, found one that is no number (NaN); download the model again',
    );
  if (value >= 2 ** 63) return 2n ** 63n - 1n;
  if (value <= -(2 ** 63)) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

export function isFloat(type: ElementType): boolean {
  return type === 'float32' || type === 'float16' || type === 'bfloat16' || type === 'float64';
}

export function elementSize(type: ElementType): number {
  return formats[type].size;
}

/** Values of little-endian bytes of one element type. */
export function decode(type: ElementType, bytes: Uint8Array): number[] {
  const { size, read } = formats[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.byteLength / size }, (_, i) => read(view, i * size));
}

export function encode(type: ElementType, values: readonly number[]): Uint8Array {
  const { size, write } = formats[type];
  const bytes = new Uint8Array(values.length * size);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    write(view, i * size, value);
  });
  return bytes;
}

/** Inline constant of these numbers. */
export function makeConstant(
  type: ElementType,
  dims: readonly number[],
  values: readonly number[],
): Constant {
  return { type, dims, content: { kind: 'inline', bytes: encode(type, values) } };
}

/** Values of a constant, or undefined when they lie in a file that was not given. */
export function readConstant(constant: Constant): Known | undefined {
  const { content } = constant;
  const stored = content.kind === 'stored';
  if (!content.bytes) return undefined;
  const values = decode(stored ? content.type : constant.type, content.bytes);
  return { type: constant.type, dims: constant.dims, values };
}

/** The numbers of a known tensor without batch entries; `where` names what needs them. */
export function numbersIn(known: Known | undefined, where: string): number[] {
  if (!known)
    throw new AppError('onnx.notConstant', `expected constant values for ${where}, found computed ones`);
  return known.values.map((value) => {
    if (!isBatch(value)) return value;
    throw new AppError(
      'onnx.freeDimension',
      `expected numbers for ${where}, found one that follows the batch`,
    );
  });
}

export function isNumeric(known: Known): boolean {
  return !known.values.some(isBatch);
}
