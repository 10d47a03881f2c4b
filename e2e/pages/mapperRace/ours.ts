/** The studio's own mapper, on either backend. */
import { AdamW } from '../../../src/gpu/adamw.ts';
import { CpuBackend } from '../../../src/gpu/cpuBackend.ts';
import { Tape } from '../../../src/gpu/tape.ts';
import { WebGpuBackend } from '../../../src/gpu/webgpuBackend.ts';
import { Mapper } from '../../../src/neti/mapper.ts';
import { concatenated, CONFIG, LEARNING_RATE, ROWS, type Contender, type Work } from './work.ts';

export async function ours(provider: 'webgpu' | 'wasm', work: Work): Promise<Contender> {
  const backend = provider === 'webgpu' ? new WebGpuBackend(await openDevice()) : new CpuBackend();
  const mapper = new Mapper(backend, CONFIG, work.state);
  const optimizer = new AdamW(backend, mapper.parameters, { learningRate: LEARNING_RATE });
  // As text encoder and U-Net leave them: on the device, the halves apart.
  const width = CONFIG.contextWidth;
  const half = (first: number) =>
    Float32Array.from(
      { length: ROWS * width },
      (_, i) => work.upstream[2 * width * Math.floor(i / width) + first + (i % width)]!,
    );
  const [base, bypass] = [backend.allocate(ROWS * width), backend.allocate(ROWS * width)];
  backend.upload(base, half(0));
  backend.upload(bypass, half(width));
  const read = [...mapper.parameters].find(({ name }) => name === 'net.1.bias')!;
  return {
    name: `ours, ${provider}`,
    step: async () => {
      optimizer.zeroGradients();
      const tape = new Tape(backend);
      const output = mapper.forward(tape, work.timesteps, work.layers, work.keep);
      mapper.backward(tape, output, { base, bypass });
      optimizer.step();
      tape.dispose();
      await backend.download(read.buffer);
    },
    parameters: async () =>
      concatenated(await Promise.all([...mapper.parameters].map(({ buffer }) => backend.download(buffer)))),
  };
}

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU adapter, not even a software one.');
  return adapter.requestDevice();
}
