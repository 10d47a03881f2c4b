/** From a kernel's declaration to WGSL: bindings for its buffers and parameters, and the bytes of its parameters. */
import type { Access, Kernel, ParameterType } from './backend.ts';

/** The whole shader: storage buffers in order, then the uniform `params`, then the kernel's own code. */
export function shaderSource(kernel: Kernel): string {
  const buffers = Object.entries<Access>(kernel.buffers).map(
    ([name, access], i) => `@group(0) @binding(${i}) var<storage, ${access}> ${name}: array<f32>;`,
  );
  const fields = Object.entries<ParameterType>(kernel.params).map(([name, type]) => `  ${name}: ${type},`);
  return [
    'struct Params {',
    ...fields,
    '}',
    ...buffers,
    `@group(0) @binding(${buffers.length}) var<uniform> params: Params;`,
    kernel.wgsl,
  ].join('\n');
}

/** Bytes of the parameters' uniform, a multiple of 16. */
export function uniformBytes(kernel: Kernel): number {
  return Math.ceil((4 * Object.keys(kernel.params).length) / 16) * 16;
}

/** Writes the parameters, 4 bytes each in declared order. */
export function packUniforms<B extends string, P extends string>(
  kernel: Kernel<B, P>,
  params: Readonly<Record<P, number>>,
  target: DataView,
): void {
  const names = Object.keys(kernel.params) as P[];
  names.forEach((name, i) => {
    if (kernel.params[name] === 'u32') target.setUint32(4 * i, params[name], true);
    else target.setFloat32(4 * i, params[name], true);
  });
}
