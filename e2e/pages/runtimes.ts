/** Both execution providers in a test page, and model files from its server. */
import * as wasmOrt from 'onnxruntime-web/wasm';
import * as gpuOrt from 'onnxruntime-web/webgpu';
import wasmModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import gpuModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { missingFile, type OpenFile } from '../../src/lib/modelFiles.ts';
import { requestDevice } from '../../src/ort/engine.ts';
import { Runtime, type Provider } from '../../src/ort/runtime.ts';

export type { Provider };

/** What WebGPU's validation complained of. */
export const complaints: string[] = [];

/** Opens files below an address. */
export function opener(home: URL): OpenFile {
  return async (path) => {
    const response = await fetch(new URL(path, home));
    // The development server answers with a page where there is no file.
    if (!response.ok || response.headers.get('Content-Type')?.startsWith('text/html'))
      throw missingFile(home.href, path);
    return response.blob();
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
