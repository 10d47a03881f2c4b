/**
 * AdamW over a group of parameters, all in one kernel. Gradients sum up in the parameters between `zeroGradients` calls, so gradient
 * accumulation is several backward passes before one `step`.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { Backend, DeviceBuffer } from './backend.ts';
import { adamwUpdate } from './kernels/adamw.ts';
import type { ParameterGroup } from './parameters.ts';

/** PyTorch's defaults; the learning rate is the caller's to choose. */
const DEFAULTS = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-2 } as const;

/** What a further training needs to go on exactly: the step count and both moments of every parameter by name. */
export interface AdamWState {
  readonly step: number;
  readonly m: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  readonly v: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

export class AdamW {
  private readonly backend: Backend;
  private readonly learningRate: number;
  private readonly parameters: ParameterGroup;
  /** Both moments, as the group's parameters lie. */
  private readonly m: DeviceBuffer;
  private readonly v: DeviceBuffer;
  private steps = 0;

  constructor(
    backend: Backend,
    parameters: ParameterGroup,
    { learningRate }: { readonly learningRate: number },
  ) {
    this.backend = backend;
    this.learningRate = learningRate;
    this.parameters = parameters;
    this.m = parameters.zeros();
    this.v = parameters.zeros();
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
    for (const parameter of this.parameters) parameter.settleGradient();
    const { gradients: gradient, values: value, elements } = this.parameters;
    this.backend.run(adamwUpdate, { gradient, value, m: this.m, v: this.v }, { size: elements, ...params });
  }

  zeroGradients(): void {
    for (const parameter of this.parameters) parameter.forgetGradient();
  }

  /** A copy of the step count and of all moments. */
  async state(): Promise<AdamWState> {
    const [m, v] = [await this.parameters.download(this.m), await this.parameters.download(this.v)];
    return { step: this.steps, m, v };
  }

  /** Goes on from `state`; throws `gpu.shape` and changes nothing when a moment is missing or has another size. */
  load(state: AdamWState): void {
    for (const { name, shape } of this.parameters) {
      for (const found of [state.m.get(name)?.length, state.v.get(name)?.length]) {
        if (found === sizeOf(shape)) continue;
        const expected = `Optimizer state of ${name}: expected ${sizeOf(shape)} values`;
        throw new AppError('gpu.shape', `${expected}, found ${found ?? 'none'}. Start a fresh optimizer.`);
      }
    }
    this.steps = state.step;
    this.parameters.upload(this.m, state.m);
    this.parameters.upload(this.v, state.v);
  }

  release(): void {
    this.backend.release(this.m);
    this.backend.release(this.v);
  }
}
