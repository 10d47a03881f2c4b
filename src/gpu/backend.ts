/**
 * What the autograd needs from a machine: flat float32 buffers with explicit lifetimes, and kernels run on them.
 * Two implementations: `CpuBackend` and `WebGpuBackend`. A kernel is one WGSL function body and its CPU reference, declared
 * together; it knows buffers and numbers, never tensors or the tape.
 */
import { AppError } from '../lib/errors.ts';

/** A flat array of float32 that belongs to one backend. Its contents are undefined until written. */
export interface DeviceBuffer {
  readonly elements: number;
}

/** A backend's own kind of buffer. */
export interface OwnBuffer extends DeviceBuffer {
  released: boolean;
  /** What a slice is a part of; null for a buffer of its own. */
  readonly whole: OwnBuffer | null;
}

/** `buffer` as one of the class `Own`; throws `gpu.buffer` for another backend's and for a released one. */
export function ownBuffer<Own extends OwnBuffer, Arguments extends unknown[]>(
  Own: new (...args: Arguments) => Own,
  buffer: DeviceBuffer,
): Own {
  if (!(buffer instanceof Own))
    throw new AppError('gpu.buffer', "Expected a buffer of this backend, found another's: upload it first.");
  if (!(buffer.whole ?? buffer).released) return buffer;
  throw new AppError('gpu.buffer', 'The buffer was already released: keep it alive until its last use.');
}

/** The same, if it is not a slice: throws `gpu.buffer` for one. */
export function expectWhole<Own extends OwnBuffer>(buffer: Own): Own {
  if (!buffer.whole) return buffer;
  throw new AppError('gpu.buffer', 'Expected a whole buffer, found a slice: it lives as long as its whole.');
}

/** Slices start at multiples of this many elements, as bindings on WebGPU do (256 bytes). */
export const SLICE_ALIGNMENT = 64;

export type ParameterType = 'u32' | 'f32';
export type Access = 'read' | 'read_write';

/** Names of its buffers `B` and of its uniform parameters `P`, both visible in WGSL (`x[i]`, `params.size`). */
export interface Kernel<B extends string = string, P extends string = string> {
  readonly name: string;
  /** In binding order. */
  readonly buffers: Readonly<Record<B, Access>>;
  readonly params: Readonly<Record<P, ParameterType>>;
  /** WGSL with the entry point `main`; the bindings are declared for it. */
  readonly wgsl: string;
  /** Workgroups to dispatch. */
  readonly workgroups: (params: Readonly<Record<P, number>>) => readonly [number, number];
  /** The same computation on the CPU: what the WGSL is tested against, and the CPU backend's implementation. */
  readonly reference: (
    buffers: Readonly<Record<B, Float32Array>>,
    params: Readonly<Record<P, number>>,
  ) => void;
}

/** Infers the names of buffers and parameters. */
export function defineKernel<B extends string, P extends string>(kernel: Kernel<B, P>): Kernel<B, P> {
  return kernel;
}

export interface Backend {
  /** Buffers allocated and not yet released: must return to its start when all work is disposed of. */
  readonly liveBuffers: number;
  /** A buffer with undefined contents, from the pool where one fits. */
  allocate(elements: number): DeviceBuffer;
  /** Part of a buffer, from a multiple of `SLICE_ALIGNMENT` on; valid as long as the buffer, and not released itself. */
  slice(buffer: DeviceBuffer, start: number, elements: number): DeviceBuffer;
  /** Back to the pool; the buffer must not be used afterwards. */
  release(buffer: DeviceBuffer): void;
  /** Sets all elements to 0. */
  clear(buffer: DeviceBuffer): void;
  upload(buffer: DeviceBuffer, values: Float32Array): void;
  /** A copy of the contents, after all work so far. */
  download(buffer: DeviceBuffer): Promise<Float32Array<ArrayBuffer>>;
  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: Readonly<Record<B, DeviceBuffer>>,
    params: Readonly<Record<P, number>>,
  ): void;
  /** Frees the pool and everything still allocated. */
  destroy(): void;
}
