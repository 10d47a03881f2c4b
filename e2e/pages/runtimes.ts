/** Both execution providers in a test page, and model files from its server. */
import { missingFile, type OpenFile } from '../../src/lib/modelFiles.ts';
import { loadOrt, requestDevice } from '../../src/ort/engine.ts';
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

const fetchBinary = async (url: string) => (await fetch(url)).arrayBuffer();

export async function openRuntime(provider: Provider): Promise<Runtime> {
  const ort = await loadOrt(provider, 1, fetchBinary);
  if (provider === 'wasm') return new Runtime({ ort, provider });
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU adapter, not even a software one.');
  const device = await requestDevice(adapter);
  device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
  return new Runtime({ ort, provider, device });
}
