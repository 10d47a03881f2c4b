/**
 * Reverse-mode differentiation: operations note on a tape how to send their output's gradient back to their inputs,
 * and `backward` plays the notes in reverse. Every note adds to a gradient that starts at zero, so a tensor used twice
 * needs no special care, and parameters sum their gradients over calls until the optimizer clears them.
 *
 * A tape owns the buffers of one forward and backward pass; `dispose` gives them all back.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { Backend, DeviceBuffer } from './backend.ts';
import { accumulate } from './kernels/elementwise.ts';

export interface Tensor {
  readonly shape: readonly number[];
  readonly buffer: DeviceBuffer;
  readonly needsGradient: boolean;
}

/** A trained tensor: its buffers live until `release`, and its gradient sums up over backward passes. */
export class Parameter implements Tensor {
  readonly needsGradient = true;
  readonly name: string;
  readonly shape: readonly number[];
  readonly buffer: DeviceBuffer;
  readonly gradient: DeviceBuffer;
  private readonly backend: Backend;

  constructor(backend: Backend, name: string, shape: readonly number[], values: Float32Array) {
    if (values.length !== sizeOf(shape)) {
      throw new AppError(
        'gpu.shape',
        `Parameter ${name} of shape [${shape.join(', ')}] expects ${sizeOf(shape)} values, found ${values.length}.`,
      );
    }
    this.backend = backend;
    this.name = name;
    this.shape = shape;
    this.buffer = backend.allocate(values.length);
    this.gradient = backend.allocate(values.length);
    backend.upload(this.buffer, values);
    backend.clear(this.gradient);
  }

  release(): void {
    this.backend.release(this.buffer);
    this.backend.release(this.gradient);
  }
}

/** Where backward starts: `gradient` holds dLoss/dTensor. */
export interface Seed {
  readonly tensor: Tensor;
  readonly gradient: DeviceBuffer;
}

interface Note {
  readonly output: Tensor;
  readonly propagate: (gradient: DeviceBuffer) => void;
}

export class Tape {
  readonly backend: Backend;
  private readonly notes: Note[] = [];
  private readonly owned = new Set<DeviceBuffer>();
  private readonly gradients = new Map<Tensor, DeviceBuffer>();

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** A tensor that needs no gradient, with the given values. */
  constant(shape: readonly number[], values: Float32Array): Tensor {
    const tensor = { shape, buffer: this.scratch(sizeOf(shape)), needsGradient: false };
    this.backend.upload(tensor.buffer, values);
    return tensor;
  }

  /** The output of an operation on `inputs`, still to be written; it needs a gradient if one of them does. */
  output(shape: readonly number[], inputs: readonly Tensor[]): Tensor {
    const needsGradient = inputs.some((input) => input.needsGradient);
    return { shape, buffer: this.scratch(sizeOf(shape)), needsGradient };
  }

  /** A buffer that lives as long as the tape. */
  scratch(elements: number): DeviceBuffer {
    const buffer = this.backend.allocate(elements);
    this.owned.add(buffer);
    return buffer;
  }

  /** Notes how the gradient of `output` adds to the gradients of what it was made from. */
  record(output: Tensor, propagate: (gradient: DeviceBuffer) => void): void {
    if (output.needsGradient) this.notes.push({ output, propagate });
  }

  /** The gradient of a tensor as summed so far; zero at first. */
  gradient(tensor: Tensor): DeviceBuffer {
    if (tensor instanceof Parameter) return tensor.gradient;
    const known = this.gradients.get(tensor);
    if (known) return known;
    const made = this.scratch(sizeOf(tensor.shape));
    this.backend.clear(made);
    this.gradients.set(tensor, made);
    return made;
  }

  /**
   * Adds dLoss/dParameter to the gradient of every parameter the seeds depend on. Runs once per tape. Throws
   * `gpu.shape` for a seed of another size than its tensor.
   */
  backward(seeds: readonly Seed[]): void {
    for (const { tensor, gradient } of seeds) {
      const size = sizeOf(tensor.shape);
      if (gradient.elements !== size) {
        throw new AppError(
          'gpu.shape',
          `Expected a gradient of ${size} elements for a tensor [${tensor.shape.join(', ')}], found ${gradient.elements}.`,
        );
      }
      this.backend.run(accumulate, { x: gradient, y: this.gradient(tensor) }, { size });
    }
    for (const { output, propagate } of this.notes.splice(0).reverse()) {
      const gradient = this.gradients.get(output);
      if (gradient) propagate(gradient);
    }
  }

  /** Releases every buffer made on this tape. */
  dispose(): void {
    for (const buffer of this.owned) this.backend.release(buffer);
    this.owned.clear();
    this.gradients.clear();
    this.notes.length = 0;
  }
}
