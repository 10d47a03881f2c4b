/**
 * The backend on Float32Arrays: runs each kernel's CPU reference at once. Released arrays are pooled by size, so that
 * a training loop allocates nothing after its first step.
 */
import {
  expectWhole,
  ownBuffer,
  type Backend,
  type DeviceBuffer,
  type Kernel,
  type OwnBuffer,
} from './backend.ts';

class CpuBuffer implements OwnBuffer {
  released = false;
  readonly data: Float32Array<ArrayBuffer>;
  /** Arrays that came from outside never enter the pool. */
  readonly pooled: boolean;
  readonly whole: CpuBuffer | null;

  constructor(data: Float32Array<ArrayBuffer>, pooled: boolean, whole: CpuBuffer | null = null) {
    this.data = data;
    this.pooled = pooled;
    this.whole = whole;
  }

  get elements(): number {
    return this.data.length;
  }
}

export class CpuBackend implements Backend {
  private live = 0;
  private readonly pool = new Map<number, Float32Array<ArrayBuffer>[]>();

  get liveBuffers(): number {
    return this.live;
  }

  allocate(elements: number): DeviceBuffer {
    this.live++;
    return new CpuBuffer(this.pool.get(elements)?.pop() ?? new Float32Array(elements), true);
  }

  /** A buffer on the given array itself: no copy is made, and the array must outlive the buffer. */
  wrap(data: Float32Array<ArrayBuffer>): DeviceBuffer {
    this.live++;
    return new CpuBuffer(data, false);
  }

  /** The array behind a buffer, valid until the buffer is released. */
  view(buffer: DeviceBuffer): Float32Array<ArrayBuffer> {
    return this.own(buffer).data;
  }

  slice(buffer: DeviceBuffer, start: number, elements: number): DeviceBuffer {
    const whole = expectWhole(this.own(buffer));
    return new CpuBuffer(whole.data.subarray(start, start + elements), whole.pooled, whole);
  }

  release(buffer: DeviceBuffer): void {
    const own = expectWhole(this.own(buffer));
    own.released = true;
    this.live--;
    if (!own.pooled) return;
    const free = this.pool.get(own.elements);
    if (free) free.push(own.data);
    else this.pool.set(own.elements, [own.data]);
  }

  clear(buffer: DeviceBuffer): void {
    this.view(buffer).fill(0);
  }

  upload(buffer: DeviceBuffer, values: Float32Array): void {
    this.view(buffer).set(values);
  }

  download(buffer: DeviceBuffer): Promise<Float32Array<ArrayBuffer>> {
    return Promise.resolve(this.view(buffer).slice());
  }

  run<B extends string, P extends string>(
    kernel: Kernel<B, P>,
    buffers: Readonly<Record<B, DeviceBuffer>>,
    params: Readonly<Record<P, number>>,
  ): void {
    const entries = Object.entries<DeviceBuffer>(buffers).map(([name, buffer]) => [name, this.view(buffer)]);
    kernel.reference(Object.fromEntries(entries) as Record<B, Float32Array>, params);
  }

  destroy(): void {
    this.pool.clear();
    this.live = 0;
  }

  private own(buffer: DeviceBuffer): CpuBuffer {
    return ownBuffer(CpuBuffer, buffer);
  }
}
