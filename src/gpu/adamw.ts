/**
 * AdamW over a list of parameters. Gradients sum up in the parameters between `zeroGradients` calls, so gradient
 * accumulation is several backward passes before one `step`.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { Backend, DeviceBuffer } from './backend.ts';
import { adamwUpdate } from './kernels/adamw.ts';
import type { Parameter } from './tape.ts';

/** PyTorch's defaults; the learning rate is the caller's to choose. */
const DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2 } as const;

/** What a further training needs to go on exactly: the step count and both moments of every parameter by name. */
export interface AdamWState {
  readonly step: number;
  readonly m: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  readonly v: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

interface Moments {
  readonly m: DeviceBuffer;
  readonly v: DeviceBuffer;
}

export class AdamW {
  private readonly backend: Backend;
  private readonly learningRate: number;
  private readonly moments: Map<Parameter, Moments>;
  private steps = 0;

  constructor(
    backend: Backend,
    parameters: readonly Parameter[],
    { learningRate }: { readonly learningRate: number },
  ) {
    this.backend = backend;
    this.learningRate = learningRate;
    this.moments = new Map(parameters.map((parameter) => [parameter, this.zeroMoments(parameter)]));
  }

  /** One update of every parameter from the gradients summed so far, which stay as they are. */
  step(): void {
    this.steps++;
    const { learningRate } = this;
    const { beta1, beta2, epsilon, weightDecay } = DEFAULTS;
    const params = {
      decay: 1 - learningRate * weightDecay,
      stepSize: learningRate / (1 - beta1 ** this.steps),
      correction: Math.sqrt(1 - beta2 ** this.steps),
      beta1,
      beta2,
      oneMinusBeta1: 1 - beta1,
      oneMinusBeta2: 1 - beta2,
      epsilon,
    };
    for (const [parameter, { m, v }] of this.moments) {
      parameter.settleGradient();
      const { gradient, buffer, shape } = parameter;
      this.backend.run(adamwUpdate, { gradient, value: buffer, m, v }, { size: sizeOf(shape), ...params });
    }
  }

  zeroGradients(): void {
    for (const parameter of this.moments.keys()) parameter.forgetGradient();
  }

  /** A copy of the step count and of all moments. */
  async state(): Promise<AdamWState> {
    const m = new Map<string, Float32Array<ArrayBuffer>>();
    const v = new Map<string, Float32Array<ArrayBuffer>>();
    for (const [{ name }, moments] of this.moments) {
      m.set(name, await this.backend.download(moments.m));
      v.set(name, await this.backend.download(moments.v));
    }
    return { step: this.steps, m, v };
  }

  /** Goes on from `state`; throws `gpu.shape` and changes nothing when a moment is missing or has another size. */
  load(state: AdamWState): void {
    for (const [{ name, shape }] of this.moments) {
      for (const found of [state.m.get(name)?.length, state.v.get(name)?.length]) {
        if (found === sizeOf(shape)) continue;
        const expected = `Optimizer state of ${name}: expected ${sizeOf(shape)} values`;
        throw new AppError('gpu.shape', `${expected}, found ${found ?? 'none'}. Start a fresh optimizer.`);
      }
    }
    this.steps = state.step;
    for (const [{ name }, { m, v }] of this.moments) {
      this.backend.upload(m, state.m.get(name)!);
      this.backend.upload(v, state.v.get(name)!);
    }
  }

  release(): void {
    for (const { m, v } of this.moments.values()) {
      this.backend.release(m);
      this.backend.release(v);
    }
    this.moments.clear();
  }

  private zeroMoments({ shape }: Parameter): Moments {
    const moments = { m: this.backend.allocate(sizeOf(shape)), v: this.backend.allocate(sizeOf(shape)) };
    this.backend.clear(moments.m);
    this.backend.clear(moments.v);
    return moments;
  }
}
