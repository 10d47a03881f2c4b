/**
 * Test page: the same training steps of the micro model on both providers. `window.trainSteps(provider)` returns the losses
 * and the mapper's parameters after each run; same seed, so same pictures, noise, timesteps and dropout.
 */
import * as wasmOrt from 'onnxruntime-web/wasm';
import * as gpuOrt from 'onnxruntime-web/webgpu';
import wasmModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.mjs?url';
import wasmBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.wasm?url';
import gpuModuleUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url';
import gpuBinaryUrl from 'onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url';
import { Pipeline } from '../../src/diffusion/pipeline.ts';
import { Random } from '../../src/lib/random.ts';
import { createBridge } from '../../src/neti/bridge.ts';
import { createMapper } from '../../src/neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../../src/neti/mapperConfig.ts';
import { defaultTrainSettings } from '../../src/neti/settings.ts';
import { Trainer } from '../../src/neti/trainer.ts';
import { prepareModel } from '../../src/onnx/model.ts';
import { requestDevice } from '../../src/ort/engine.ts';
import { Runtime } from '../../src/ort/runtime.ts';

const home = new URL('/src/onnx/fixtures/micro/', location.origin);
const complaints: string[] = [];

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, home));
  if (!response.ok) throw new Error(`${path}: answer ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Stock files from the server, prepared ones compiled here, as the studio does for a model it was not shipped with. */
async function modelReader(): Promise<(path: string) => Promise<Uint8Array>> {
  const prepared = await prepareModel(fetchBytes);
  return (path) => {
    const bytes = prepared.get(path);
    return bytes ? Promise.resolve(bytes) : fetchBytes(path);
  };
}

async function openRuntime(provider: 'wasm' | 'webgpu'): Promise<Runtime> {
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

async function trainSteps(provider: 'wasm' | 'webgpu', steps: number) {
  const runtime = await openRuntime(provider);
  const pipeline = await Pipeline.load(runtime, await modelReader());
  const bridge = createBridge(runtime);
  const random = new Random(3);
  const { layers, contextWidth, latent } = pipeline.shape;
  const mapper = createMapper(
    bridge.backend,
    {
      ...MAPPER_DEFAULTS,
      layers,
      contextWidth,
      normScale: Math.hypot(...(await pipeline.tokenEmbedding(5))),
    },
    random,
  );
  const size = latent[0] * latent[1] * latent[2];
  const straight = {
    mean: random.fillNormal(new Float32Array(size)),
    logvar: new Float32Array(size).fill(-6),
  };
  const settings = { ...defaultTrainSettings, batchSize: 2 };
  const templates = ['a {}'];
  const pictures = [{ straight, mirrored: null }];
  const trainer = new Trainer({ pipeline, bridge, mapper, pictures, templates, settings, random });
  const live = bridge.backend.liveBuffers;
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.step()).loss);
  const leaked = bridge.backend.liveBuffers - live;
  const state = [...(await mapper.state())].map(([name, values]) => [name, Array.from(values)] as const);
  return { losses, leaked, complaints, state: Object.fromEntries(state) };
}

export type TrainSteps = typeof trainSteps;
Object.assign(window, { trainSteps });
document.documentElement.dataset['ready'] = 'true';
