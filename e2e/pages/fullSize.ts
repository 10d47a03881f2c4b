/**
 * Page of `src/tools/checkCheckpoint.ts`: a checkpoint of real size, chosen from the disk with PyTorch's numbers, on WebAssembly by the build
 * that reads its weights piece by piece. Each check says times and distances in a line.
 */
import {
  GOLDEN_SIDE,
  openFullSize,
  runDecoder,
  runText,
  runUnet,
} from '../../src/checkpoint/testing/fullSize.ts';
import { layout, preparedPath, type Network } from '../../src/lib/modelLayout.ts';
import { relativeError } from '../../src/lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../../src/lib/safetensors.ts';
import { tensorMaker } from '../../src/onnx/testing/textRuns.ts';
import { loadOrt, threadCount } from '../../src/ort/engine.ts';

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

async function open(part: Network, side: number) {
  last = performance.now();
  const file = chosen(layout.checkpoint);
  const { graphs } = await openFullSize(file, side, stage);
  const fetchBinary = async (url: string) => (await fetch(url)).arrayBuffer();
  const ort = await loadOrt('webgpu', threadCount(), fetchBinary);
  const session = await ort.InferenceSession.create(graphs.get(preparedPath(part))!, {
    executionProviders: ['wasm'],
    externalData: [{ path: `${part}/${layout.checkpoint}`, data: file }],
    enableMemPattern: false,
    // Folding the constants would widen every weight at once, beyond what WebAssembly can address.
    graphOptimizationLevel: part === 'unet' ? 'disabled' : 'all',
    logSeverityLevel: 3,
  });
  stage('loaded');
  return { session, make: tensorMaker(ort.Tensor as never) };
}

async function distance(name: string, found: Float32Array): Promise<string> {
  stage('run');
  const { tensors } = readSafetensors(new Uint8Array(await chosen('goldens.safetensors').arrayBuffer()));
  const wanted = toFloat32(tensors.get(name)!);
  const error =
    found.length === wanted.length
      ? `${relativeError(found, wanted).toExponential(1)} from PyTorch`
      : `${found.length} numbers, ${found.every(Number.isFinite) ? 'all finite' : 'not all finite'}`;
  return `${times.join(', ')}: ${error}`;
}

const fullSize = {
  text: async () => {
    const { session, make } = await open('text_encoder', GOLDEN_SIDE);
    return distance('text', await runText(session, make));
  },
  pixels: async () => {
    const { session, make } = await open('vae_decoder', GOLDEN_SIDE);
    return distance('pixels', await runDecoder(session, make, GOLDEN_SIDE));
  },
  /** The forward pass alone. */
  unet: async (side: number) => {
    const { session, make } = await open('unet', side);
    return distance('unet', (await runUnet(session, make, side, false)).unet);
  },
};

export type FullSize = Readonly<Record<keyof typeof fullSize, (side: number) => Promise<string>>>;
Object.assign(window, { fullSize });
document.documentElement.dataset['ready'] = 'true';
