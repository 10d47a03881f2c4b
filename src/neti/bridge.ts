/**
 * Between the mapper's autograd and onnxruntime: on WebGPU both work on the same device, so a tensor passes as its
 * buffer and nothing is read back; elsewhere it passes as its array, without a copy.
 */
import { CpuBackend } from '../gpu/cpuBackend.ts';
import type { Backend, DeviceBuffer } from '../gpu/backend.ts';
import { WebGpuBackend } from '../gpu/webgpuBackend.ts';
import type { Tape } from '../gpu/tape.ts';
import { AppError } from '../lib/errors.ts';
import type { ConceptInputs } from '../diffusion/pipeline.ts';
import type { OrtTensor, Runtime } from '../ort/runtime.ts';
import type { MapperOutput } from './mapper.ts';

/** How far the textual bypass moves a hidden state, in its own length (section 4.2; official implementation: 0.2). */
export const BYPASS_SCALE = 0.2;

export interface Bridge {
  readonly backend: Backend;
  toOrt(buffer: DeviceBuffer, dims: readonly number[]): OrtTensor;
  /** A float32 tensor as a buffer that borrows its memory: release the buffer, then the tensor. */
  fromOrt(tensor: OrtTensor): DeviceBuffer;
}

export function createBridge(runtime: Runtime): Bridge {
  return runtime.device
    ? gpuBridge(runtime, new WebGpuBackend(runtime.device))
    : cpuBridge(runtime, new CpuBackend());
}

/** The mapper's output for N rows as the text encoder takes it, valid as long as the tape: no bypass is a bypass of zeros. */
export function conceptRows(
  bridge: Bridge,
  tape: Tape,
  { base, bypass }: MapperOutput,
  rows: number,
): ConceptInputs {
  const [all, width] = base.shape as [number, number];
  const zeros = () => tape.constant([rows, width], new Float32Array(rows * width));
  return {
    embedding: bridge.toOrt(base.buffer, [rows, all / rows, width]),
    bypass: bridge.toOrt((bypass ?? zeros()).buffer, [rows, width]),
    bypassScale: BYPASS_SCALE,
  };
}

function cpuBridge(runtime: Runtime, backend: CpuBackend): Bridge {
  return {
    backend,
    toOrt: (buffer, dims) => runtime.float(backend.view(buffer), dims),
    fromOrt: ({ data, type }) => {
      if (data instanceof Float32Array) return backend.wrap(data as Float32Array<ArrayBuffer>);
      throw new AppError('ort.type', `Expected a float32 tensor from the network, found ${type}.`);
    },
  };
}

function gpuBridge(runtime: Runtime, backend: WebGpuBackend): Bridge {
  return {
    backend,
    toOrt: (buffer, dims) => runtime.fromGpuBuffer(backend.expose(buffer), dims),
    fromOrt: (tensor) => backend.wrap(tensor.gpuBuffer as GPUBuffer, tensor.size),
  };
}
