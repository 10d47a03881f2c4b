/** Both execution providers in a test page, and model files from its server. */
import * as wasmOrt from 'onnxruntime-web/wasm';
import * as gpuOrt from 'onnxruntime-web/webgpu';
import wasmModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import gpuModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { requestDevice } from '../../src/ort/engine.ts';
import { Runtime, type Provider } from '../../src/ort/runtime.ts';

export type { Provider };

/** What WebGPU's validation complained of. */
export const complaints: string[] = [];

/** Reads files below an address. */
export function reader(home: URL): (path: string) => Promise<Uint8Array> {
  return async (path) => {
    const response = await fetch(new URL(path, home));
    if (!response.ok) throw new Error(`${path}: answer ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  };
}

export async function openRuntime(provider: Provider): Promise<Runtime> {
  if (provider === 'wasm') {
    wasmOrt.env.wasm.numThreads = 1;
    wasmOrt.env.wasm.wasmPaths = { mjs: wasmModuleUrl, wasm: wasmBinaryUrl };
    return new Runtime({ ort: wasmOrt, provider });
  }
  gpuOrt.env.wasm.numThreads = 1;
  gpuOrt.env.wasm.wasmPaths = { mjs: gpuModuleUrl, wasm: gpuBinaryUrl };
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU adapter, not even a software one.');
  const device = await requestDevice(adapter);
  device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
  return new Runtime({ ort: gpuOrt, provider, device });
}
