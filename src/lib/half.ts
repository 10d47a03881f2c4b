/**
 * Half precision (IEEE 754 binary16) to and from numbers. Browsers before 2025 and Node 20 lack Float16Array.
 */
import { roundHalfToEven } from './numbers.ts';

/** The number whose binary16 bit pattern is `bits`. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Nearest binary16 bit pattern (ties to even; overflow becomes infinity). */
export function numberToHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size || 2 ** -24)));
  const step = 2 ** (exponent - 10);
  const steps = roundHalfToEven(size / step);
  if (exponent === -14) return sign | steps;
  return sign | (((exponent + 14) << 10) + steps);
}

/** Little-endian half-precision bytes as float32 (the byte offset may be odd). */
export function halfBytesToFloat32(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 2 }, (_, i) =>
    halfToNumber(view.getUint16(2 * i, true)),
  );
}
