/**
 * The backend on WebGPU. The device is passed in, and may be the one onnxruntime-web runs on: buffers carry the usage
 * and the size (a multiple of 16 bytes) that its GPU tensors ask for, so outputs and gradients cross without read-back.
 *
 * Dispatches are recorded in one compute pass and submitted together, at the latest when somebody else may look at a buffer
 * (`expose`, `download`, `upload` into a buffer that the recorded work uses). Uniforms live in slots of one buffer, written once per
 * submission. Bind groups of buffers of the pool are kept: a training step asks for the same ones again.
 */
import { AppError } from '../lib/errors.ts';
import {
  expectWhole,
  ownBuffer,
  type Backend,
  type DeviceBuffer,
  type Kernel,
  type OwnBuffer,
} from './backend.ts';
import { packUniforms, shaderSource, uniformBytes } from './shader.ts';

const ALIGNMENT = 16;
const SLOT_BYTES = 256;
const SLOTS = 256;
const MAX_BIND_GROUPS = 1024;

class GpuBuffer implements OwnBuffer {
  released = false;
  readonly elements: number;
  readonly gpu: GPUBuffer;
  /** Buffers that came from outside never enter the pool. */
  readonly pooled: boolean;
  readonly whole: GpuBuffer | null;
  /** Where it begins in `gpu`, in bytes. */
  readonly offset: number;

  constructor(elements: number, gpu: GPUBuffer, pooled: boolean, whole: GpuBuffer | null = null, offset = 0) {
    this.elements = elements;
    this.gpu = gpu;
    this.pooled = pooled;
    this.whole = whole;
    this.offset = offset;
  }

  get bytes(): number {
    return 4 * this.elements;
  }
}

/** A compiled kernel. */
interface Program {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly uniformBytes: number;
}

export class WebGpuBackend implements Backend {
  readonly device: GPUDevice;
  private readonly live = new Set<GpuBuffer>();
  private readonly pool = new Map<number, GPUBuffer[]>();
  private readonly programs = new Map<string, Program>();
  /** By the program's name and the numbers of its buffers. */
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private readonly numbers = new WeakMap<GPUBuffer, number>();
  private numbered = 0;
  /** What recorded work that is not yet submitted reads or writes. */
  private readonly inUse = new Set<GPUBuffer>();
  private readonly uniforms: GPUBuffer;
  private readonly uniformData = new ArrayBuffer(SLOT_BYTES * SLOTS);
  private usedSlots = 0;
  private encoder: GPUCommandEncoder | null = null;
  private pass: GPUComputePassEncoder | null = null;

  constructor(device: GPUDevice) {
    this.device = device;
    this.uniforms = device.createBuffer({
      label: 'kernel parameters',
      size: SLOT_BYTES * SLOTS,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  get liveBuffers(): number {
    return this.live.size;
  }

  allocate(elements: number): DeviceBuffer {
    const size = Math.max(ALIGNMENT, Math.ceil((elements * 4) / ALIGNMENT) * ALIGNMENT);
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const gpu = this.pool.get(size)?.pop() ?? this.device.createBuffer({ size, usage });
    return this.track(new GpuBuffer(elements, gpu, true));
  }

  /**
   * A buffer on a GPUBuffer of the same device that somebody else owns, for instance an output of onnxruntime. It
   * needs usage STORAGE|COPY_SRC and must outlive the returned buffer, whose release leaves it alone: release first,
   * then dispose of the tensor.
   */
  wrap(gpu: GPUBuffer, elements: number): DeviceBuffer {
    if (gpu.size < elements * 4) {
      throw new AppError(
        'gpu.buffer',
        `Expected a buffer of at least ${elements * 4} bytes, found ${gpu.size}: check the tensor's shape.`,
      );
    }
    return this.track(new GpuBuffer(elements, gpu, false));
  }

  /** The GPUBuffer behind a buffer, after submitting all work on it; valid until the buffer is released. */
  expose(buffer: DeviceBuffer): GPUBuffer {
    this.flush();
    return expectWhole(this.own(buffer)).gpu;
  }

  slice(buffer: DeviceBuffer, start: number, elements: number): DeviceBuffer {
    const whole = expectWhole(this.own(buffer));
    return new GpuBuffer(elements, whole.gpu, whole.pooled, whole, 4 * start);
  }

  release(buffer: DeviceBuffer): void {
    const own = expectWhole(this.own(buffer));
    own.released = true;
    this.live.delete(own);
    if (!own.pooled) {
      // Its owner may free it at once, so work that reads it must be on its way.
      this.flush();
      return;
    }
    const free = this.pool.get(own.gpu.size);
    if (free) free.push(own.gpu);
    else this.pool.set(own.gpu.size, [own.gpu]);
  }

  clear(buffer: DeviceBuffer): void {
    const { gpu, offset, bytes } = this.own(buffer);
    this.endPass();
    this.inUse.add(gpu);
    this.commands().clearBuffer(gpu, offset, bytes);
  }

  upload(buffer: DeviceBuffer, values: Float32Array): void {
    const { gpu, offset } = this.own(buffer);
    if (this.inUse.has(gpu)) this.flush();
    this.device.queue.writeBuffer(gpu, offset, values as Float32Array<ArrayBuffer>);
  }

  async download(buffer: DeviceBuffer): Promise<Float32Array<ArrayBuffer>> {
    const { gpu, offset, bytes: size } = this.own(buffer);
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const staging = this.device.createBuffer({ size, usage });
    this.endPass();
    this.commands().copyBufferToBuffer(gpu, offset, staging, 0, size);
    this.flush();
    try {
      await staging.mapAsync(GPUMapMode.READ);
      return new Float32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: Readonly<Record<B, DeviceBuffer>>,
    params: Readonly<Record<P, number>>,
  ): void {
    if (this.usedSlots === SLOTS) this.flush();
    const program = this.program(kernel);
    const slot = SLOT_BYTES * this.usedSlots++;
    packUniforms(kernel, params, new DataView(this.uniformData, slot, SLOT_BYTES));
    const storage = (Object.keys(kernel.buffers) as B[]).map((name) => this.own(buffers[name]));
    for (const { gpu } of storage) this.inUse.add(gpu);
    this.pass ??= this.commands().beginComputePass();
    this.pass.setPipeline(program.pipeline);
    this.pass.setBindGroup(0, this.bindGroup(kernel.name, program, storage), [slot]);
    this.pass.dispatchWorkgroups(...kernel.workgroups(params));
  }

  /** Submits everything recorded so far. */
  flush(): void {
    this.endPass();
    if (!this.encoder) return;
    if (this.usedSlots > 0) {
      this.device.queue.writeBuffer(this.uniforms, 0, this.uniformData, 0, this.usedSlots * SLOT_BYTES);
    }
    this.device.queue.submit([this.encoder.finish()]);
    this.encoder = null;
    this.usedSlots = 0;
    this.inUse.clear();
  }

  destroy(): void {
    this.flush();
    for (const buffer of this.live) if (buffer.pooled) buffer.gpu.destroy();
    for (const buffer of [...this.pool.values()].flat()) buffer.destroy();
    this.uniforms.destroy();
    this.live.clear();
    this.pool.clear();
    this.bindGroups.clear();
  }

  private track(buffer: GpuBuffer): GpuBuffer {
    this.live.add(buffer);
    return buffer;
  }

  private own(buffer: DeviceBuffer): GpuBuffer {
    return ownBuffer(GpuBuffer, buffer);
  }

  private commands(): GPUCommandEncoder {
    return (this.encoder ??= this.device.createCommandEncoder());
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = null;
  }

  /** Foreign buffers come and go with their owner, so what binds them is not kept. */
  private bindGroup(name: string, program: Program, storage: readonly GpuBuffer[]): GPUBindGroup {
    const key = storage.every((buffer) => buffer.pooled)
      ? `${name} ${storage.map(({ gpu, offset }) => `${this.numberOf(gpu)}+${offset}`).join(' ')}`
      : null;
    const known = key === null ? undefined : this.bindGroups.get(key);
    if (known) return known;
    const uniform = { buffer: this.uniforms, size: program.uniformBytes };
    const resources = [
      ...storage.map(({ gpu, offset, bytes }) => ({ buffer: gpu, offset, size: bytes })),
      uniform,
    ];
    const made = this.device.createBindGroup({
      layout: program.layout,
      entries: resources.map((resource, binding) => ({ binding, resource })),
    });
    if (key === null) return made;
    if (this.bindGroups.size === MAX_BIND_GROUPS) this.bindGroups.clear();
    this.bindGroups.set(key, made);
    return made;
  }

  private numberOf(gpu: GPUBuffer): number {
    const known = this.numbers.get(gpu) ?? this.numbered++;
    this.numbers.set(gpu, known);
    return known;
  }

  private program(kernel: Kernel): Program {
    const known = this.programs.get(kernel.name);
    if (known) return known;
    const module = this.device.createShaderModule({ label: kernel.name, code: shaderSource(kernel) });
    const layout = this.device.createBindGroupLayout({ entries: layoutEntries(kernel) });
    const made = {
      layout,
      uniformBytes: uniformBytes(kernel),
      pipeline: this.device.createComputePipeline({
        label: kernel.name,
        layout: this.device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: 'main' },
      }),
    };
    this.programs.set(kernel.name, made);
    return made;
  }
}

/** The kernel's buffers in order, then its parameters, whose slot is chosen at each dispatch. */
function layoutEntries(kernel: Kernel): GPUBindGroupLayoutEntry[] {
  const storage = Object.values(kernel.buffers).map((access): GPUBufferBindingLayout => ({
    type: access === 'read' ? 'read-only-storage' : 'storage',
  }));
  return [...storage, { type: 'uniform', hasDynamicOffset: true } as const].map((buffer, binding) => ({
    binding,
    visibility: GPUShaderStage.COMPUTE,
    buffer,
  }));
}
