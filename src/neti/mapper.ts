/**
 * The NeTI mapper (arXiv 2305.15391, section 4): a small network from (denoising timestep, cross-attention layer) to a
 * word vector and, with the textual bypass, a second vector that is added behind the text encoder.
 *   encoding → linear → linear, LayerNorm, LeakyReLU → linear, LayerNorm, LeakyReLU → first k units → linear → norm
 * Tensor names are the official implementation's, so that concepts can be compared and exchanged.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { Random } from '../lib/random.ts';
import type { Backend, DeviceBuffer } from '../gpu/backend.ts';
import { keepFirst, layerNormLeakyRelu, linear, normalizeRows, splitColumns } from '../gpu/ops.ts';
import { ParameterGroup, type Parameter, type Tensor } from '../gpu/parameters.ts';
import type { Seed, Tape } from '../gpu/tape.ts';
import { drawFrequencies, Encoding } from './encoding.ts';
import { checkConfig, parameterShapes, stateShapes, tableRows, type MapperConfig } from './mapperConfig.ts';

/** A mapper's tensors by official name, `encoder.w` among them. */
export type MapperState = ReadonlyMap<string, Float32Array<ArrayBuffer>>;

export interface MapperOutput {
  /** v_base [R·V, D]: the V vectors of each row replace the placeholder's token embeddings. */
  readonly base: Tensor;
  /** v_bypass [R, D]; null when the bypass is off. */
  readonly bypass: Tensor | null;
}

export class Mapper {
  readonly config: MapperConfig;
  readonly parameters: ParameterGroup;
  private readonly backend: Backend;
  private readonly frequencies: Float32Array<ArrayBuffer> | null;
  private readonly encoding: Encoding;
  private readonly layerWaves: DeviceBuffer | null;
  private readonly byName: ReadonlyMap<string, Parameter>;

  /** Throws `mapper.config` or `mapper.state` when a tensor is missing or has another size than `config` asks for. */
  constructor(backend: Backend, config: MapperConfig, state: MapperState) {
    checkConfig(config);
    for (const [name, shape] of stateShapes(config)) checkTensor(name, shape, state.get(name));
    this.backend = backend;
    this.config = config;
    this.frequencies = state.get('encoder.w') ?? null;
    this.encoding = new Encoding(config, config.positionalEncoding ? this.frequencies : null);
    this.layerWaves = uploaded(backend, this.encoding.layerWaves);
    const tensors = [...parameterShapes(config)].map(([name, shape]) => ({
      name,
      shape,
      values: state.get(name)!,
    }));
    this.parameters = new ParameterGroup(backend, tensors);
    this.byName = new Map([...this.parameters].map((parameter) => [parameter.name, parameter]));
  }

  /**
   * V vectors each for R pairs (timestep 0…999, layer 0…L−1).
   * @param keep hidden units kept: one number for all rows, or one a row; all when left out.
   */
  forward(
    tape: Tape,
    timesteps: ArrayLike<number>,
    layers: ArrayLike<number>,
    keep?: number | ArrayLike<number>,
  ): MapperOutput {
    if (!this.config.network) return { base: this.lookUp(tape, layers), bypass: null };
    const hidden = this.hidden(tape, timesteps, layers);
    const kept =
      keep === undefined ? hidden : keepFirst(tape, hidden, this.keepCounts(tape, keep, timesteps.length));
    return this.split(tape, this.normalised(tape, this.linear(tape, 'output_layer.0', kept)));
  }

  /** The hidden units [R, hidden] before truncation. */
  hidden(tape: Tape, timesteps: ArrayLike<number>, layers: ArrayLike<number>): Tensor {
    if (timesteps.length !== layers.length) {
      throw new AppError(
        'mapper.rows',
        `${timesteps.length} timesteps do not match ${layers.length} layers.`,
      );
    }
    const encoded = this.encoding.encodeOn(tape, timesteps, layers, this.layerWaves);
    const input = this.config.positionalEncoding ? this.linear(tape, 'input_layer', encoded) : encoded;
    return this.block(tape, 'net.4', 'net.5', this.block(tape, 'net.1', 'net.2', input));
  }

  /**
   * Adds dLoss/dParameter to the parameters' gradients.
   * @param gradients of `output.base`, [R·V, D], and `output.bypass`, [R, D].
   */
  backward(
    tape: Tape,
    output: MapperOutput,
    gradients: { base: DeviceBuffer; bypass?: DeviceBuffer | null },
  ): void {
    const seeds: Seed[] = [{ tensor: output.base, gradient: gradients.base }];
    if (output.bypass && gradients.bypass) seeds.push({ tensor: output.bypass, gradient: gradients.bypass });
    tape.backward(seeds);
  }

  /** A copy of all tensors. */
  async state(): Promise<MapperState> {
    const state = new Map<string, Float32Array<ArrayBuffer>>();
    if (this.frequencies) state.set('encoder.w', this.frequencies.slice());
    for (const [name, values] of await this.parameters.download(this.parameters.values))
      state.set(name, values);
    return state;
  }

  release(): void {
    this.parameters.release();
    if (this.layerWaves) this.backend.release(this.layerWaves);
  }

  /** The plain vectors of R layers, [R·V, D]: one-hot rows times the table. */
  private lookUp(tape: Tape, layers: ArrayLike<number>): Tensor {
    const { space, vectors, contextWidth: width } = this.config;
    const columns = tableRows(this.config);
    const rows = layers.length * vectors;
    const chosen = new Float32Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const first = space ? layers[Math.floor(row / vectors)]! * vectors : 0;
      chosen[row * columns + first + (row % vectors)] = 1;
    }
    const noBias = tape.constant([width], new Float32Array(width));
    return linear(tape, tape.constant([rows, columns], chosen), this.parameter('vectors'), noBias);
  }

  private parameter(name: string): Parameter {
    return this.byName.get(name)!;
  }

  private linear(tape: Tape, name: string, x: Tensor): Tensor {
    return linear(tape, x, this.parameter(`${name}.weight`), this.parameter(`${name}.bias`));
  }

  private block(tape: Tape, linearName: string, normName: string, x: Tensor): Tensor {
    const y = this.linear(tape, linearName, x);
    const [weight, bias] = [this.parameter(`${normName}.weight`), this.parameter(`${normName}.bias`)];
    return layerNormLeakyRelu(tape, y, weight, bias);
  }

  private normalised(tape: Tape, x: Tensor): Tensor {
    return this.config.normScale === null ? x : normalizeRows(tape, x, this.config.normScale);
  }

  private split(tape: Tape, x: Tensor): MapperOutput {
    if (!this.config.textualBypass) return { base: x, bypass: null };
    const [base, bypass] = splitColumns(tape, x);
    return { base, bypass };
  }

  private keepCounts(tape: Tape, keep: number | ArrayLike<number>, rows: number): Tensor {
    const counts = typeof keep === 'number' ? new Float32Array(rows).fill(keep) : Float32Array.from(keep);
    if (counts.length !== rows) {
      throw new AppError(
        'mapper.rows',
        `Expected one count of kept units for each of ${rows} rows, found ${counts.length}.`,
      );
    }
    return tape.constant([rows], counts);
  }
}

/** A mapper without a network: every vector starts as `embedding` [D], that of the super-category (Gal et al. 2022). */
export function createTable(
  backend: Backend,
  config: MapperConfig,
  embedding: Float32Array<ArrayBuffer>,
): Mapper {
  const rows = tableRows(config);
  const vectors = Float32Array.from(
    { length: rows * embedding.length },
    (_, i) => embedding[Math.floor(i / rows)]!,
  );
  return new Mapper(backend, config, new Map([['vectors', vectors]]));
}

/** A mapper with fresh weights: PyTorch's initialisation, and the input layer set to the anchors' encodings. */
export function createMapper(backend: Backend, config: MapperConfig, random: Random): Mapper {
  checkConfig(config);
  const state = new Map<string, Float32Array<ArrayBuffer>>();
  if (config.positionalEncoding) state.set('encoder.w', drawFrequencies(config, random));
  let fanIn = 1;
  for (const [name, shape] of parameterShapes(config)) {
    const values = new Float32Array(sizeOf(shape));
    fanIn = shape[1] ?? fanIn;
    const bound = 1 / Math.sqrt(fanIn);
    if (name.startsWith('net.2') || name.startsWith('net.5')) values.fill(name.endsWith('weight') ? 1 : 0);
    else random.fillUniform(values, -bound, bound);
    state.set(name, values);
  }
  const anchors = new Encoding(config, state.get('encoder.w') ?? null);
  if (config.positionalEncoding) state.set('input_layer.weight', anchors.encodeAnchors());
  return new Mapper(backend, config, state);
}

/** The values on the backend; null for none. */
function uploaded(backend: Backend, values: Float32Array): DeviceBuffer | null {
  if (values.length === 0) return null;
  const buffer = backend.allocate(values.length);
  backend.upload(buffer, values);
  return buffer;
}

function checkTensor(name: string, shape: readonly number[], found: Float32Array | undefined): void {
  if (found?.length === sizeOf(shape)) return;
  const expected = `${name}: expected ${sizeOf(shape)} values of shape [${shape.join(', ')}]`;
  throw new AppError(
    'mapper.state',
    `${expected}, found ${found ? found.length : 'none'}. Load a matching concept.`,
  );
}
