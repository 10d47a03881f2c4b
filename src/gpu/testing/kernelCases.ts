/**
 * Cases of the kernels that no operation runs, the trainer's and the optimizer's, shared as those of the operations are
 * (opCases.ts): a unit test finds kernels without one, and a browser test runs them on WebGPU against the CPU.
 */
import { Random } from '../../lib/random.ts';
import type { Backend, DeviceBuffer, Kernel } from '../backend.ts';
import { addAngles } from '../kernels/angles.ts';
import { adamwUpdate } from '../kernels/adamw.ts';
import { accumulate, multiply } from '../kernels/elementwise.ts';

export interface KernelCase {
  readonly name: string;
  /** Contents of every buffer after one run, the same inputs each time. */
  readonly run: (backend: Backend) => Promise<Float32Array[]>;
}

/** Buffers that are not given hold `size` positive numbers at first, as second moments must. */
function kernelCase<B extends string, P extends string>(
  kernel: Kernel<B, P>,
  size: number,
  params: Readonly<Record<P, number>>,
  given: Partial<Readonly<Record<B, Float32Array>>> = {},
): KernelCase {
  const run = async (backend: Backend) => {
    const random = new Random(size);
    const buffers = Object.fromEntries(
      (Object.keys(kernel.buffers) as B[]).map((name) => {
        const values = given[name] ?? random.fillUniform(new Float32Array(size), 0.1, 2);
        const buffer = backend.allocate(values.length);
        backend.upload(buffer, values);
        return [name, buffer];
      }),
    ) as Record<B, DeviceBuffer>;
    backend.run(kernel, buffers, params);
    const made = Object.values<DeviceBuffer>(buffers);
    const contents = await Promise.all(made.map((buffer) => backend.download(buffer)));
    for (const buffer of made) backend.release(buffer);
    return contents;
  };
  return { name: `${kernel.name} [${size}]`, run };
}

const ADAMW_PARAMS = {
  decay: 0.99,
  stepSize: 0.02,
  correction: 0.3,
  beta1: 0.9,
  beta2: 0.999,
  oneMinusBeta1: 0.1,
  oneMinusBeta2: 0.001,
  epsilon: 1e-8,
};

/** One element, and more than a workgroup with a remainder. */
export const kernelCases: readonly KernelCase[] = [1, 1000].flatMap((size) => [
  kernelCase(multiply, size, { size, factor: -1 / 65536 }),
  kernelCase(accumulate, size, { size, accumulate: 0 }),
  kernelCase(accumulate, size, { size, accumulate: 1 }),
  kernelCase(adamwUpdate, size, { size, ...ADAMW_PARAMS }),
  kernelCase(
    addAngles,
    4 * size,
    { rows: 2, features: size, scale: 0.5 },
    { pairs: Float32Array.of(1, 0, 0, 1) },
  ),
]);
