/** What this browser and computer offer a model, gathered in the worker. */
import type { Space } from '../storage/fileTree.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import { findAdapter, threadCount } from '../ort/engine.ts';

export interface GpuFacts {
  readonly name: string;
  /** A processor that plays a graphics card. */
  readonly software: boolean;
  readonly maxBufferSize: number;
  readonly maxStorageBufferBindingSize: number;
  /** Half-precision arithmetic in shaders. */
  readonly f16: boolean;
}

export interface PreflightFacts {
  readonly gpu: GpuFacts | null;
  /** Memory of the computer in bytes as the browser tells it, which may be less than there is; null where it does not. */
  readonly deviceMemory: number | null;
  readonly space: Space;
  readonly crossOriginIsolated: boolean;
  readonly threads: number;
}

export async function gatherFacts(store: ModelStore): Promise<PreflightFacts> {
  const { adapter, name, software } = await findAdapter();
  const { deviceMemory } = navigator as { deviceMemory?: number };
  return {
    gpu: adapter && {
      name: name ?? 'unnamed adapter',
      software,
      f16: adapter.features.has('shader-f16'),
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    },
    deviceMemory: deviceMemory === undefined ? null : deviceMemory * 2 ** 30,
    space: await store.space(),
    crossOriginIsolated: globalThis.crossOriginIsolated,
    threads: threadCount(),
  };
}
