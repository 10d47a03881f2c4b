/** Every kernel has a case, so that the browser test runs its WGSL (e2e/webgpuMapper.spec.ts). */
import { expect, it } from 'vitest';
import type { DeviceBuffer, Kernel } from './backend.ts';
import { CpuBackend } from './cpuBackend.ts';
import { kernelCases } from './testing/kernelCases.ts';
import { drawInputs, opCases, runCase } from './testing/opCases.ts';

const modules = import.meta.glob<Record<string, unknown>>(['./kernels/*.ts', '!./kernels/*.test.ts'], {
  eager: true,
});

class RecordingBackend extends CpuBackend {
  readonly ran = new Set<string>();

  override run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: Readonly<Record<B, DeviceBuffer>>,
    params: Readonly<Record<P, number>>,
  ): void {
    this.ran.add(kernel.name);
    super.run(kernel, buffers, params);
  }
}

function kernelName(exported: unknown): string[] {
  if (typeof exported !== 'object' || exported === null || !('wgsl' in exported)) return [];
  return 'name' in exported && typeof exported.name === 'string' ? [exported.name] : [];
}

it('the cases run every kernel and lose no buffer', async () => {
  const backend = new RecordingBackend();
  for (const op of opCases) await runCase(backend, op, drawInputs(op, 1));
  for (const each of kernelCases) await each.run(backend);
  const kernels = Object.values(modules).flatMap((module) => Object.values(module).flatMap(kernelName));
  expect(kernels.length).toBeGreaterThan(10);
  expect([...backend.ran].toSorted()).toEqual(kernels.toSorted());
  expect(backend.liveBuffers).toBe(0);
});
