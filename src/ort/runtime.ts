/**
 * Sessions on onnxruntime-web, which engine.ts loads. A Runtime owns one execution provider, loads sessions on it and runs them
 * one at a time: concurrent `run()` calls on one module hang. A rejected run leaves the next one working.
 */
import type * as OnnxRuntime from 'onnxruntime-web';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { AppError } from '../lib/errors.ts';
import { Mutex } from '../lib/mutex.ts';
import { sizeOf } from '../lib/numbers.ts';
import { HeldFile } from './heldFile.ts';

export type OrtModule = Pick<typeof OnnxRuntime, 'InferenceSession' | 'Tensor' | 'env'>;
/** What the page may choose between. */
export type Provider = 'webgpu' | 'wasm';
export type OrtTensor = Tensor;
export type Feeds = Record<string, Tensor>;
type Outputs = Record<string, Tensor>;

export interface ExternalFile {
  readonly path: string;
  readonly data: Blob;
}

/**
 * Files up to this size are read at once: many small reads are slower. Of larger ones the JSPI build reads each weight as
 * it is needed, so that gigabytes never lie in memory; the other builds read them whole.
 */
const WHOLE_FILE_BYTES = 256e6;

export interface RuntimeOptions {
  readonly ort: OrtModule;
  /** `cpu` is that of onnxruntime's native build, for tools. */
  readonly provider: Provider | 'cpu';
  /** The device that onnxruntime and the project's own kernels share; required on WebGPU. */
  readonly device?: GPUDevice;
  /** Of the native build; without it, one a core. */
  readonly threads?: number;
}

export class Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];

  constructor(
    private readonly session: InferenceSession,
    private readonly queue: Mutex,
  ) {
    this.inputNames = session.inputNames;
    this.outputNames = session.outputNames;
  }

  /** Element type of an input, such as `int64`. Throws `ort.input` when the graph has none of that name. */
  inputType(name: string): Tensor.Type {
    return this.input(name).type;
  }

  /** Dimensions of an input: numbers, or names where they are open. Throws `ort.input`. */
  inputShape(name: string): readonly (number | string)[] {
    return this.input(name).shape;
  }

  private input(name: string) {
    const found = this.session.inputMetadata.find((input) => input.name === name);
    if (found?.isTensor === true) return found;
    throw new AppError(
      'ort.input',
      `Expected a graph input ${name}, found ${this.inputNames.join(', ')}; prepare the model again.`,
    );
  }

  /** The outputs that `fetches` names; rejects with onnxruntime's own error. */
  run(feeds: Feeds, fetches: readonly string[]): Promise<Outputs> {
    return this.queue.run(() => this.session.run(feeds, fetches));
  }

  release(): Promise<void> {
    return this.queue.run(() => this.session.release());
  }
}

export class Runtime {
  readonly provider: RuntimeOptions['provider'];
  readonly device: GPUDevice | null;
  private readonly ort: OrtModule;
  private readonly threads: number | undefined;
  private readonly queue = new Mutex();

  constructor({ ort, provider, device, threads }: RuntimeOptions) {
    if (provider === 'webgpu' && !device)
      throw new AppError('ort.device', 'WebGPU was asked for without a GPUDevice; pass the shared device.');
    this.ort = ort;
    this.provider = provider;
    this.device = device ?? null;
    this.threads = threads;
  }

  /**
   * Loads a graph; rejects with onnxruntime's own error when it cannot. `external` are the files its weights lie in;
   * `gpuOutputs` stay in GPU buffers on WebGPU, so that the next graph reads them without a copy to the host.
   */
  load(
    graph: Uint8Array,
    external: readonly ExternalFile[],
    gpuOutputs: readonly string[],
  ): Promise<Session> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: [this.device ? { name: 'webgpu', device: this.device } : this.provider],
      graphOptimizationLevel: 'all',
      // A pattern takes one block for a whole run, larger than what is alive at one time: memory plans would not hold.
      enableMemPattern: false,
      // Unused outputs of the optimizer's fallbacks are reported as warnings that mean nothing to a user.
      logSeverityLevel: 3,
    };
    if (this.threads !== undefined) options.intraOpNumThreads = this.threads;
    if (this.device)
      options.preferredOutputLocation = Object.fromEntries(gpuOutputs.map((name) => [name, 'gpu-buffer']));
    return this.queue.run(async () => {
      const externalData = await Promise.all(external.map(readable));
      const session = await this.ort.InferenceSession.create(graph, { ...options, externalData });
      return new Session(session, this.queue);
    });
  }

  float(data: Float32Array, dims: readonly number[]): Tensor {
    return new this.ort.Tensor('float32', data, dims);
  }

  /** Zeros of an input's type, false ones where it is a bool. */
  zeros(type: Tensor.Type, dims: readonly number[]): Tensor {
    const size = sizeOf(dims);
    return type === 'bool'
      ? new this.ort.Tensor('bool', new Uint8Array(size), dims)
      : this.float(new Float32Array(size), dims);
  }

  bool(value: boolean): Tensor {
    return new this.ort.Tensor('bool', [value], []);
  }

  /** Whole numbers as the graph's own element type: int32, int64 or float32. */
  integers(type: Tensor.Type, values: ArrayLike<number>, dims: readonly number[]): Tensor {
    const numbers = Array.from(values);
    if (type === 'int64') return new this.ort.Tensor('int64', BigInt64Array.from(numbers.map(BigInt)), dims);
    if (type === 'int32') return new this.ort.Tensor('int32', Int32Array.from(numbers), dims);
    if (type === 'float32') return new this.ort.Tensor('float32', Float32Array.from(numbers), dims);
    throw new AppError('ort.type', `Expected an int64, int32 or float32 input, found ${type}.`);
  }

  /** A view of a GPU buffer of the shared device as a tensor; the buffer stays its owner's. */
  fromGpuBuffer(buffer: GPUBuffer, dims: readonly number[]): Tensor {
    // The typings of the two packages name the same browser object differently.
    return this.ort.Tensor.fromGpuBuffer(buffer as never, { dataType: 'float32', dims });
  }

  /** The same elements under other dimensions, without a copy, wherever they lie. */
  reshape(tensor: Tensor, dims: readonly number[]): Tensor {
    return tensor.location === 'gpu-buffer'
      ? this.fromGpuBuffer(tensor.gpuBuffer as GPUBuffer, dims)
      : tensor.reshape(dims);
  }
}

/** A file of weights as onnxruntime takes it. */
export async function readable({ path, data }: ExternalFile) {
  const given = data.size > WHOLE_FILE_BYTES ? new HeldFile(data) : new Uint8Array(await data.arrayBuffer());
  return { path, data: given };
}

/** Elements of a float tensor, read back from the GPU when they lie there. */
export async function floats(tensor: Tensor): Promise<Float32Array> {
  const data = await tensor.getData();
  if (!(data instanceof Float32Array))
    throw new AppError('ort.type', `Expected float32 data, found ${tensor.type}.`);
  return data;
}
