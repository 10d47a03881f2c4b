/**
 * Page of `src/tools/checkCheckpoint.ts`: a checkpoint of real size, chosen from the disk with PyTorch's numbers, by the build of
 * onnxruntime that reads its weights piece by piece: text encoder and decoder on WebAssembly, U-Net on WebGPU. Each check says times and distances in a line.
 */
import { openFullSize, runDecoder, runText, runUnet } from '../../src/checkpoint/testing/fullSize.ts';
import { graphPath, layout, preparedPath, type Network } from '../../src/lib/modelLayout.ts';
import { relativeError } from '../../src/lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../../src/lib/safetensors.ts';
import { tensorMaker } from '../../src/onnx/testing/textRuns.ts';
import { loadOrt, requestDevice } from '../../src/ort/engine.ts';
import { readable } from '../../src/ort/runtime.ts';

const times: string[] = [];
let last = performance.now();
const stage = (name: string) => {
  times.push(`${name} in ${((performance.now() - last) / 1000).toFixed(1)} s`);
  last = performance.now();
};

function chosen(name: string): File {
  const { files } = document.querySelector('input')!;
  return Array.from(files!).find((file) => file.name === name)!;
}

/** WebAssembly cannot address the widened U-Net; on the graphics card its weights lie outside. */
async function webgpu() {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('Expected a WebGPU adapter, if only a software one, found none.');
  return { name: 'webgpu', device: (await requestDevice(adapter)) as never } as const;
}

async function open(part: Network) {
  last = performance.now();
  const file = chosen(layout.checkpoint);
  const { stock, graphs } = await openFullSize(file, stage);
  const ort = await loadOrt('webgpu', 1, async (url) => (await fetch(url)).arrayBuffer());
  const weights = [
    { path: `${part}/${layout.checkpoint}`, data: file },
    { path: graphPath(part), data: await stock(graphPath(part)) },
  ];
  const session = await ort.InferenceSession.create(graphs.get(preparedPath(part))!, {
    executionProviders: [part === 'unet' ? await webgpu() : 'wasm'],
    externalData: await Promise.all(weights.map(readable)),
    enableMemPattern: false,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  stage('loaded');
  return { session, make: tensorMaker(ort.Tensor as never) };
}

async function distance(name: string, found: Float32Array): Promise<string> {
  stage('run');
  const { tensors } = readSafetensors(new Uint8Array(await chosen('goldens.safetensors').arrayBuffer()));
  const error = relativeError(found, toFloat32(tensors.get(name)!)).toExponential(1);
  return `${times.join(', ')}: ${error} from PyTorch`;
}

const fullSize = {
  text: async () => {
    const { session, make } = await open('text_encoder');
    return distance('text', await runText(session, make));
  },
  pixels: async () => {
    const { session, make } = await open('vae_decoder');
    return distance('pixels', await runDecoder(session, make));
  },
  /** The forward pass alone. */
  unet: async () => {
    const { session, make } = await open('unet');
    return distance('unet', (await runUnet(session, make, false)).unet);
  },
};

export type FullSize = typeof fullSize;
Object.assign(window, { fullSize });
document.documentElement.dataset['ready'] = 'true';
