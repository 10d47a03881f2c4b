/**
 * Test page: the autograd and the mapper on this browser's WebGPU. The test calls the functions of `window.checks`;
 * each returns numbers to assert on, and WebGPU's own complaints count as failures.
 */
import { AdamW } from '../../src/gpu/adamw.ts';
import { CpuBackend } from '../../src/gpu/cpuBackend.ts';
import { kernelCases } from '../../src/gpu/testing/kernelCases.ts';
import { drawInputs, opCases, runCase } from '../../src/gpu/testing/opCases.ts';
import { Tape } from '../../src/gpu/tape.ts';
import { WebGpuBackend } from '../../src/gpu/webgpuBackend.ts';
import { relativeError } from '../../src/lib/numbers.ts';
import { Random } from '../../src/lib/random.ts';
import { createMapper } from '../../src/neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../../src/neti/mapperConfig.ts';
import { goldenErrors } from '../../src/neti/testing/mapperGoldens.ts';

const complaints: string[] = [];

async function openDevice(): Promise<GPUDevice> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error('This browser has no WebGPU adapter, not even a software one.');
  const device = await adapter.requestDevice();
  device.addEventListener('uncapturederror', ({ error }) => complaints.push(error.message));
  return device;
}

const device = await openDevice();

/** Relative error of every tensor of a golden file, and the buffers left alive. */
async function goldens(name: string) {
  const file = await fetch(new URL(`../../src/neti/fixtures/${name}.safetensors`, import.meta.url));
  const backend = new WebGpuBackend(device);
  const errors = await goldenErrors(backend, new Uint8Array(await file.arrayBuffer()));
  return { errors: Object.fromEntries(errors), live: backend.liveBuffers };
}

/** Largest relative error of WebGPU against the CPU for each case of each operation. */
async function operations(): Promise<Record<string, number>> {
  const worst: Record<string, number> = {};
  const gpu = new WebGpuBackend(device);
  for (const op of opCases) {
    const values = drawInputs(op, 5);
    const found = await runCase(gpu, op, values);
    const expected = await runCase(new CpuBackend(), op, values);
    const errors = expected.gradients.map((gradient, i) => relativeError(found.gradients[i]!, gradient));
    worst[op.name] = Math.max(relativeError(found.output, expected.output), ...errors);
  }
  gpu.destroy();
  return worst;
}

/** The same of the kernels that no operation runs. */
async function kernels(): Promise<Record<string, number>> {
  const worst: Record<string, number> = {};
  const gpu = new WebGpuBackend(device);
  for (const { name, run } of kernelCases) {
    const expected = await run(new CpuBackend());
    const found = await run(gpu);
    worst[name] = Math.max(...expected.map((values, i) => relativeError(found[i]!, values)));
  }
  gpu.destroy();
  return worst;
}

/** Live buffers before and after a thousand training steps of a small mapper, and after releasing everything. */
async function leaks() {
  const backend = new WebGpuBackend(device);
  const sizes = {
    layers: 3,
    contextWidth: 8,
    fourierFeatures: 16,
    hidden: 16,
    timeAnchors: 2,
    normScale: 0.4,
  };
  const mapper = createMapper(backend, { ...MAPPER_DEFAULTS, ...sizes }, new Random(1));
  const optimizer = new AdamW(backend, mapper.parameters, { learningRate: 1e-3 });
  const before = backend.liveBuffers;
  const created = countCreatedBuffers();
  let createdEarly = 0;
  for (let step = 0; step < 1000; step++) {
    if (step === 10) createdEarly = created();
    const tape = new Tape(backend);
    const output = mapper.forward(tape, [step], [step % 3], [step % 17]);
    optimizer.zeroGradients();
    mapper.backward(tape, output, { base: output.base.buffer, bypass: output.bypass!.buffer });
    optimizer.step();
    tape.dispose();
  }
  await device.queue.onSubmittedWorkDone();
  const createdLate = created() - createdEarly;
  const after = backend.liveBuffers;
  const finite = [...(await mapper.state()).values()].every((values) => values.every(Number.isFinite));
  optimizer.release();
  mapper.release();
  return { before, after, createdLate, finite, end: backend.liveBuffers };
}

/** Counts buffers the device makes from now on. */
function countCreatedBuffers(): () => number {
  let made = 0;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    made++;
    return create(descriptor);
  };
  return () => made;
}

/** A buffer of somebody else is read in place, and survives its wrapper; an exposed one can be written from outside. */
async function sharing() {
  const backend = new WebGpuBackend(device);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const foreign = device.createBuffer({ size: 16, usage });
  device.queue.writeBuffer(foreign, 0, Float32Array.of(1, 2, 3, 4));
  const wrapped = backend.wrap(foreign, 3);
  const own = backend.allocate(3);
  device.queue.writeBuffer(backend.expose(own), 0, Float32Array.of(5, 6, 7));
  const read = { wrapped: [...(await backend.download(wrapped))], own: [...(await backend.download(own))] };
  backend.release(wrapped);
  const survivor = backend.wrap(foreign, 4);
  const again = [...(await backend.download(survivor))];
  const exposed = backend.expose(own);
  return { ...read, again, size: exposed.size, usage: exposed.usage === usage };
}

const checks = { goldens, operations, kernels, leaks, sharing, complaints: () => complaints };
export type Checks = typeof checks;
Object.assign(window, { checks });
