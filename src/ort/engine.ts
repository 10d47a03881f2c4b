/**
 * Chooses the execution provider by looking at the adapter and measuring, not by hoping, and loads the matching build
 * of onnxruntime-web. A software adapter is many times slower than WebAssembly, so it is used only when asked for.
 */
import wasmModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import jspiModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.mjs?url';
import jspiBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';
import gpuModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { AppError } from '../lib/errors.ts';
import { Runtime, type OrtModule, type Provider } from './runtime.ts';

export interface EngineChoice {
  readonly provider: Provider;
  readonly adapter: string | null;
  readonly softwareAdapter: boolean;
  readonly threads: number;
  readonly crossOriginIsolated: boolean;
  readonly reason: string;
}

export interface Engine {
  readonly runtime: Runtime;
  readonly choice: EngineChoice;
}

/** Fetches a binary that belongs to the page; lets the caller keep it between visits. */
export type FetchBinary = (url: string) => Promise<ArrayBuffer>;

const SOFTWARE_NAMES = /swiftshader|llvmpipe|lavapipe|software|basic render|warp/i;

export interface AdapterFacts {
  readonly adapter: GPUAdapter | null;
  readonly name: string | null;
  readonly software: boolean;
}

/** The adapter that the engine would use, its name, and whether it is software. */
export async function findAdapter(): Promise<AdapterFacts> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  const adapter =
    (await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null)) ?? null;
  if (!adapter) return { adapter: null, name: null, software: false };
  const { vendor, architecture, device, description } = adapter.info;
  const name = [description || vendor, architecture || device].filter(Boolean).join(' ') || 'unnamed adapter';
  const software =
    adapter.info.isFallbackAdapter || SOFTWARE_NAMES.test(`${name} ${vendor} ${architecture} ${device}`);
  return { adapter, name, software };
}

/** A device with the adapter's own limits and the features that onnxruntime can use. */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const wanted = ['shader-f16', 'subgroups', 'timestamp-query'] as GPUFeatureName[];
  const limits: Record<string, number> = {};
  for (const name of [
    'maxBufferSize',
    'maxStorageBufferBindingSize',
    'maxComputeWorkgroupStorageSize',
    'maxComputeInvocationsPerWorkgroup',
    'maxComputeWorkgroupSizeX',
    'maxComputeWorkgroupSizeY',
    'maxComputeWorkgroupSizeZ',
    'maxStorageBuffersPerShaderStage',
  ] as const)
    limits[name] = adapter.limits[name];
  return adapter.requestDevice({
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: limits,
  });
}

function explain(asked: Provider | 'auto', facts: AdapterFacts): { provider: Provider; reason: string } {
  if (asked === 'wasm') return { provider: 'wasm', reason: 'The processor was chosen in the settings.' };
  if (asked === 'webgpu') {
    if (facts.adapter)
      return { provider: 'webgpu', reason: `WebGPU was chosen in the settings (${facts.name}).` };
    throw new AppError(
      'engine.noWebGPU',
      'WebGPU was chosen in the settings, but this browser offers no graphics adapter. Choose "automatic" or the processor.',
    );
  }
  if (!facts.adapter)
    return {
      provider: 'wasm',
      reason: 'This browser offers no WebGPU adapter, so the processor does the work.',
    };
  if (facts.software)
    return {
      provider: 'wasm',
      reason: 'The only graphics adapter is software, and the processor alone is faster.',
    };
  return { provider: 'webgpu', reason: `The graphics card does the work (${facts.name}).` };
}

/** Whether the engine that would be chosen computes in half precision. Throws `engine.noWebGPU` as `openEngine`. */
export async function computesInHalf(asked: Provider | 'auto'): Promise<boolean> {
  const facts = await findAdapter();
  const { provider } = explain(asked, facts);
  return provider === 'webgpu' && facts.adapter !== null && facts.adapter.features.has('shader-f16');
}

/** Threads that WebAssembly gets in this page. */
export function threadCount(): number {
  return globalThis.crossOriginIsolated ? Math.min(globalThis.navigator.hardwareConcurrency, 8) : 1;
}

/** A build of onnxruntime-web with the addresses of its parts. */
interface Build {
  readonly load: () => Promise<OrtModule>;
  readonly module: string;
  readonly binary: string;
}

const builds = {
  wasm: { load: () => import('onnxruntime-web/wasm'), module: wasmModuleUrl, binary: wasmBinaryUrl },
  jspi: { load: () => import('onnxruntime-web/jspi'), module: jspiModuleUrl, binary: jspiBinaryUrl },
  asyncify: { load: () => import('onnxruntime-web/webgpu'), module: gpuModuleUrl, binary: gpuBinaryUrl },
} satisfies Record<string, Build>;

/** On WebGPU the build on JavaScript Promise Integration, where the browser has it: smaller, and it reads weights piece by piece. */
function buildFor(provider: Provider): Build {
  if (provider === 'wasm') return builds.wasm;
  return 'Suspending' in WebAssembly ? builds.jspi : builds.asyncify;
}

/** onnxruntime-web for a provider, on so many threads. */
export async function loadOrt(
  provider: Provider,
  threads: number,
  fetchBinary: FetchBinary,
): Promise<OrtModule> {
  const { load, module, binary } = buildFor(provider);
  const ort = await load();
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = { mjs: new URL(module, import.meta.url).href };
  ort.env.wasm.wasmBinary = await fetchBinary(new URL(binary, import.meta.url).href);
  return ort;
}

/**
 * Opens the engine. Throws `engine.noWebGPU` when WebGPU was asked for and is missing.
 * `onDeviceLost` is called once if the graphics device goes away later.
 */
export async function openEngine(
  asked: Provider | 'auto',
  fetchBinary: FetchBinary,
  onDeviceLost: (reason: string) => void,
): Promise<Engine> {
  const facts = await findAdapter();
  const { provider, reason } = explain(asked, facts);
  const threads = threadCount();
  const onGpu = provider === 'webgpu';
  const ort = await loadOrt(provider, threads, fetchBinary);
  const device = onGpu && facts.adapter ? await requestDevice(facts.adapter) : undefined;
  void device?.lost.then(({ message }) => onDeviceLost(message || 'the browser does not say why'));
  return {
    runtime: new Runtime({ ort, provider, ...(device && { device }) }),
    choice: {
      provider,
      adapter: facts.name,
      softwareAdapter: facts.software,
      threads,
      crossOriginIsolated: globalThis.crossOriginIsolated,
      reason:
        threads === 1 && !onGpu
          ? `${reason} This page is not cross-origin isolated: one thread only.`
          : reason,
    },
  };
}
