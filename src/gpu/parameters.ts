/** Tensors, trained ones among them, and groups of trained tensors that an optimizer updates together. */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import { SLICE_ALIGNMENT, type Backend, type DeviceBuffer } from './backend.ts';

export interface Tensor {
  readonly shape: readonly number[];
  readonly buffer: DeviceBuffer;
  readonly needsGradient: boolean;
}

/** A gradient to write (`accumulate` 0: all of it, its contents are undefined) or to add to (1). */
export interface GradientTarget {
  readonly buffer: DeviceBuffer;
  readonly accumulate: 0 | 1;
}

/** A trained tensor: its buffers live until `release`, and its gradient sums up over backward passes. */
export class Parameter implements Tensor {
  readonly needsGradient = true;
  readonly name: string;
  readonly shape: readonly number[];
  readonly buffer: DeviceBuffer;
  readonly gradient: DeviceBuffer;
  private readonly backend: Backend;
  private stale = false;

  /** @param room buffers of a group, whose gradient is zero; left out, the parameter has its own. */
  constructor(
    backend: Backend,
    name: string,
    shape: readonly number[],
    values: Float32Array,
    room?: { readonly buffer: DeviceBuffer; readonly gradient: DeviceBuffer },
  ) {
    if (values.length !== sizeOf(shape)) {
      throw new AppError(
        'gpu.shape',
        `Parameter ${name} of shape [${shape.join(', ')}] expects ${sizeOf(shape)} values, found ${values.length}.`,
      );
    }
    this.backend = backend;
    this.name = name;
    this.shape = shape;
    this.buffer = room?.buffer ?? backend.allocate(values.length);
    this.gradient = room?.gradient ?? backend.allocate(values.length);
    backend.upload(this.buffer, values);
    if (!room) backend.clear(this.gradient);
  }

  /** Zeroes the gradient, at no cost: whoever comes next writes instead of adding. */
  forgetGradient(): void {
    this.stale = true;
  }

  /** The gradient, for a caller who then writes or adds. */
  gradientTarget(): GradientTarget {
    const accumulate = this.stale ? 0 : 1;
    this.stale = false;
    return { buffer: this.gradient, accumulate };
  }

  /** Makes the gradient's contents true where nobody wrote them since it was forgotten. */
  settleGradient(): void {
    if (this.stale) this.backend.clear(this.gradient);
    this.stale = false;
  }

  release(): void {
    this.backend.release(this.buffer);
    this.backend.release(this.gradient);
  }
}

/** What a parameter starts from. */
export interface ParameterValues {
  readonly name: string;
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/**
 * Parameters side by side in one buffer of values and one of gradients. Between them are unused elements, which stay zero.
 */
export class ParameterGroup implements Iterable<Parameter> {
  /** Of either buffer. */
  readonly elements: number;
  readonly values: DeviceBuffer;
  readonly gradients: DeviceBuffer;
  private readonly backend: Backend;
  private readonly list: readonly Parameter[];
  private readonly starts: readonly number[];

  constructor(backend: Backend, tensors: readonly ParameterValues[]) {
    let end = 0;
    this.starts = tensors.map(({ shape }) => {
      const start = Math.ceil(end / SLICE_ALIGNMENT) * SLICE_ALIGNMENT;
      end = start + sizeOf(shape);
      return start;
    });
    this.elements = end;
    this.backend = backend;
    this.values = this.zeros();
    this.gradients = this.zeros();
    this.list = tensors.map(({ name, shape, values }, i) => {
      const room = (whole: DeviceBuffer) => backend.slice(whole, this.starts[i]!, sizeOf(shape));
      const [buffer, gradient] = [room(this.values), room(this.gradients)];
      return new Parameter(backend, name, shape, values, { buffer, gradient });
    });
  }

  [Symbol.iterator](): Iterator<Parameter> {
    return this.list[Symbol.iterator]();
  }

  /** A buffer of the group's size, all zero. */
  zeros(): DeviceBuffer {
    const buffer = this.backend.allocate(this.elements);
    this.backend.clear(buffer);
    return buffer;
  }

  /** A copy of a buffer of the group's size, parameter by parameter. */
  async download(buffer: DeviceBuffer): Promise<Map<string, Float32Array<ArrayBuffer>>> {
    const all = await this.backend.download(buffer);
    return new Map(
      this.list.map(({ name, shape }, i) => {
        const start = this.starts[i]!;
        return [name, all.slice(start, start + sizeOf(shape))];
      }),
    );
  }

  /** Writes a buffer of the group's size from arrays by parameter, each of which must be there. */
  upload(buffer: DeviceBuffer, arrays: ReadonlyMap<string, Float32Array>): void {
    const all = new Float32Array(this.elements);
    this.list.forEach(({ name }, i) => all.set(arrays.get(name)!, this.starts[i]));
    this.backend.upload(buffer, all);
  }

  release(): void {
    this.backend.release(this.values);
    this.backend.release(this.gradients);
  }
}
