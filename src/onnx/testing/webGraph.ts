/** Runs ONNX graphs in Node on onnxruntime-web's WebAssembly provider: for benchmarks and for the compiler's tests. */
import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor, env } from 'onnxruntime-web';
import { readSafetensors, toBigInt64, toFloat32 } from '../../lib/safetensors.ts';
import { tensorMaker } from './textRuns.ts';

export interface ExternalBytes {
  readonly path: string;
  readonly data: Uint8Array;
}

/** A session of the graph; all sessions of a process share the number of threads of the first. */
export async function openGraph(
  bytes: Uint8Array,
  externalData: readonly ExternalBytes[] = [],
  threads = 1,
): Promise<InferenceSession> {
  env.wasm.numThreads = threads;
  env.logLevel = 'error';
  return InferenceSession.create(bytes, { executionProviders: ['wasm'], externalData: [...externalData] });
}

export function floatTensor(values: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', values, dims);
}

export function flag(value: boolean): Tensor {
  return new Tensor('bool', Uint8Array.of(Number(value)), []);
}

/** For runs of the text encoder. */
export const webTensors = tensorMaker(Tensor);

/** Dimensions that the prepared text encoder gives to an input of goldens for one word vector a row, [N,T] and [N,D]. */
export function withVectorAxis(name: string, dims: readonly number[]): readonly number[] {
  if (name === 'placeholder_mask') return [...dims, 1];
  return name === 'concept_embedding' ? [dims[0]!, 1, ...dims.slice(1)] : dims;
}

/** Tensors of a safetensors file whose names start with `prefix`, without it. */
export function readTensors(path: string | URL, prefix: string): Record<string, Tensor> {
  const { tensors } = readSafetensors(new Uint8Array(readFileSync(path)));
  const wanted = [...tensors].filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(
    wanted.map(([name, tensor]) => {
      const dims = tensor.shape;
      const isInteger = tensor.dtype === 'I64';
      const value = isInteger
        ? new Tensor('int64', toBigInt64(tensor), dims)
        : new Tensor('float32', toFloat32(tensor), dims);
      return [name.slice(prefix.length), value];
    }),
  );
}

/** Values of a float32 output. */
export function floatsOf(tensor: Tensor | undefined): Float32Array {
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`expected a float32 tensor, found ${tensor?.type ?? 'none'}`);
}
