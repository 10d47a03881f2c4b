/** The micro model (random weights of Stable Diffusion's shape), prepared and opened on WebAssembly with one thread. */
import * as ort from 'onnxruntime-web';
import { Pipeline } from '../../diffusion/pipeline.ts';
import { openFolder } from '../../lib/modelFolder.ts';
import { overlaid } from '../../lib/modelFiles.ts';
import { prepareModel } from '../../onnx/model.ts';
import type { CompileOptions } from '../../onnx/options.ts';
import { Runtime } from '../../ort/runtime.ts';
import { createBridge } from '../bridge.ts';
import type { RunBase } from '../run.ts';

ort.env.wasm.numThreads = 1;
const runtime = new Runtime({ ort, provider: 'wasm' });
const stock = openFolder(new URL('../../onnx/fixtures/micro/', import.meta.url));

export async function openMicro(options?: CompileOptions): Promise<Pipeline> {
  return Pipeline.load(runtime, overlaid(await prepareModel(stock, options), stock));
}

export const microIdentity = { id: 'micro', hash: 'ab'.repeat(32) };

export async function openMicroBase(): Promise<RunBase> {
  return {
    pipeline: await openMicro(),
    bridge: createBridge(runtime),
    identity: microIdentity,
    architecture: 'micro',
  };
}
