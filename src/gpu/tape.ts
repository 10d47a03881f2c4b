/**
 * Reverse-mode differentiation: operations note on a tape how to send their output's gradient back to their inputs,
 * and `backward` plays the notes in reverse. The first note that reaches a gradient writes it, every further one adds, so a
 * tensor used twice needs no special care and nothing is cleared; parameters sum their gradients over calls until the
 * optimizer calls them stale.
 *
 * A tape owns the buffers of one forward and backward pass; `dispose` gives them all back.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { Backend, DeviceBuffer } from './backend.ts';
import { accumulate } from './kernels/elementwise.ts';
import { Parameter, type GradientTarget, type Tensor } from './parameters.ts';

/** Where backward starts: `gradient` holds dLoss/dTensor. */
export interface Seed {
  readonly tensor: Tensor;
  readonly gradient: DeviceBuffer;
}

interface Note {
  readonly outputs: readonly Tensor[];
  readonly propagate: (gradients: readonly DeviceBuffer[]) => void;
}

export class Tape {
  readonly backend: Backend;
  private readonly notes: Note[] = [];
  private readonly owned = new Set<DeviceBuffer>();
  private readonly gradients = new Map<Tensor, DeviceBuffer>();
  /** Gradients that belong to the caller of `backward`: read in place, never added to. */
  private readonly borrowed = new Set<DeviceBuffer>();

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
    this.recordAll([output], ([gradient]) => propagate(gradient!));
  }

  /** The same for an operation of several outputs; the gradient of one that nothing depends on is zero. */
  recordAll(outputs: readonly Tensor[], propagate: (gradients: readonly DeviceBuffer[]) => void): void {
    if (outputs.some((output) => output.needsGradient)) this.notes.push({ outputs, propagate });
  }

  /** The gradient of a tensor, for a caller who then writes or adds. */
  gradientTarget(tensor: Tensor): GradientTarget {
    if (tensor instanceof Parameter) return tensor.gradientTarget();
    const known = this.gradients.get(tensor);
    if (known && !this.borrowed.has(known)) return { buffer: known, accumulate: 1 };
    const size = sizeOf(tensor.shape);
    const buffer = this.scratch(size);
    this.gradients.set(tensor, buffer);
    if (!known) return { buffer, accumulate: 0 };
    this.backend.run(accumulate, { x: known, y: buffer }, { size, accumulate: 0 });
    return { buffer, accumulate: 1 };
  }

  /**
   * Adds dLoss/dParameter to the gradient of every parameter the seeds depend on. Runs once per tape. Throws
   * `gpu.shape` for a seed of another size than its tensor. The seeds' gradients are read only.
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
      if (tensor instanceof Parameter || this.gradients.has(tensor)) {
        const target = this.gradientTarget(tensor);
        const params = { size, accumulate: target.accumulate };
        this.backend.run(accumulate, { x: gradient, y: target.buffer }, params);
      } else {
        this.gradients.set(tensor, gradient);
        this.borrowed.add(gradient);
      }
    }
    for (const { outputs, propagate } of this.notes.splice(0).reverse()) {
      if (outputs.some((output) => this.gradients.has(output)))
        propagate(outputs.map((output) => this.gradients.get(output) ?? this.zeros(sizeOf(output.shape))));
    }
  }

  private zeros(elements: number): DeviceBuffer {
    const buffer = this.scratch(elements);
    this.backend.clear(buffer);
    return buffer;
  }

  /** Releases every buffer made on this tape. */
  dispose(): void {
    // In reverse, so that the next tape finds the same buffers in the pool, and the backend its bind groups.
    for (const buffer of [...this.owned].reverse()) this.backend.release(buffer);
    this.owned.clear();
    this.gradients.clear();
    this.borrowed.clear();
    this.notes.length = 0;
  }
}
