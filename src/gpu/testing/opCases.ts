/**
 * One case for every differentiable operation and awkward shape, shared by two checks: derivatives against central differences
 * on the CPU (unit test), and WebGPU against the CPU (browser test). Not part of the product.
 */
import { sizeOf } from '../../lib/numbers.ts';
import { Random } from '../../lib/random.ts';
import type { Backend } from '../backend.ts';
import { keepFirst, layerNormLeakyRelu, linear, normalizeRows, splitColumns } from '../ops.ts';
import { Parameter, type Tensor } from '../parameters.ts';
import { Tape } from '../tape.ts';

export interface OpCase {
  readonly name: string;
  /** Shapes of the differentiated inputs. */
  readonly inputs: readonly (readonly number[])[];
  readonly build: (tape: Tape, inputs: readonly Tensor[]) => Tensor;
}

function linearCase(rows: number, inputs: number, outputs: number): OpCase {
  return {
    name: `linear [${rows}, ${inputs}] → ${outputs}`,
    inputs: [[rows, inputs], [outputs, inputs], [outputs]],
    build: (tape, [x, weight, bias]) => linear(tape, x!, weight!, bias!),
  };
}

function layerNormCase(rows: number, width: number): OpCase {
  return {
    name: `layerNormLeakyRelu [${rows}, ${width}]`,
    inputs: [[rows, width], [width], [width]],
    build: (tape, [x, weight, bias]) => layerNormLeakyRelu(tape, x!, weight!, bias!),
  };
}

export const opCases: readonly OpCase[] = [
  linearCase(1, 1, 1),
  linearCase(3, 5, 7),
  linearCase(4, 16, 32),
  linearCase(33, 17, 35),
  linearCase(40, 70, 65),
  layerNormCase(1, 3),
  layerNormCase(5, 64),
  layerNormCase(7, 130),
  { name: 'normalizeRows [1, 2]', inputs: [[1, 2]], build: (tape, [x]) => normalizeRows(tape, x!, 0.5) },
  { name: 'normalizeRows [6, 130]', inputs: [[6, 130]], build: (tape, [x]) => normalizeRows(tape, x!, 3) },
  {
    name: 'keepFirst',
    inputs: [[4, 6]],
    build: (tape, [x]) => keepFirst(tape, x!, tape.constant([4], Float32Array.of(0, 1, 5, 6))),
  },
  { name: 'splitColumns, one half used', inputs: [[3, 8]], build: (tape, [x]) => splitColumns(tape, x!)[1] },
  {
    name: 'splitColumns, both used',
    inputs: [[3, 8], [3]],
    build: (tape, [x, bias]) => linear(tape, ...splitColumns(tape, x!), bias!),
  },
  {
    name: 'a tensor used twice',
    inputs: [[3, 8]],
    build: (tape, [x]) => {
      const y = normalizeRows(tape, x!, 2);
      return linear(tape, y, y, tape.constant([3], new Float32Array(3)));
    },
  },
];

export interface OpResult {
  readonly output: Float32Array;
  /** Of Σ output·G for a fixed random G, in the order of the inputs. */
  readonly gradients: readonly Float32Array[];
}

/** Random values for the inputs of a case, the same for one seed. */
export function drawInputs({ inputs }: OpCase, seed: number): Float32Array<ArrayBuffer>[] {
  const random = new Random(seed);
  return inputs.map((shape) => random.fillNormal(new Float32Array(sizeOf(shape))));
}

/** G for an output of the given size. */
export function drawWeights(size: number): Float32Array<ArrayBuffer> {
  return new Random(size).fillNormal(new Float32Array(size));
}

/** Output and gradients of a case; every buffer is released. */
export async function runCase(
  backend: Backend,
  op: OpCase,
  values: readonly Float32Array[],
): Promise<OpResult> {
  const parameters = op.inputs.map((shape, i) => new Parameter(backend, `input ${i}`, shape, values[i]!));
  const tape = new Tape(backend);
  const output = op.build(tape, parameters);
  const weights = tape.constant(output.shape, drawWeights(output.buffer.elements));
  tape.backward([{ tensor: output, gradient: weights.buffer }]);
  const result = {
    output: await backend.download(output.buffer),
    gradients: await Promise.all(parameters.map(({ gradient }) => backend.download(gradient))),
  };
  tape.dispose();
  for (const parameter of parameters) parameter.release();
  return result;
}
