/** Every operation of the autograd against central differences. */
import { describe, expect, it } from 'vitest';
import { sizeOf } from '../lib/numbers.ts';
import { CpuBackend } from './cpuBackend.ts';
import { keepFirst, linear } from './ops.ts';
import { drawInputs, drawWeights, opCases, runCase, type OpCase } from './testing/opCases.ts';
import { Parameter, type Tensor } from './parameters.ts';
import { Tape } from './tape.ts';

const SEED = 12;
const STEP = 3e-3;

/** x[1, C] itself, as an operation. */
function same(tape: Tape, x: Tensor): Tensor {
  return keepFirst(tape, x, tape.constant([1], Float32Array.of(x.buffer.elements)));
}

/** Σ output·G of a case. */
async function loss(op: OpCase, values: readonly Float32Array[]): Promise<number> {
  const { output } = await runCase(new CpuBackend(), op, values);
  const weights = drawWeights(output.length);
  return output.reduce((sum, value, i) => sum + value * weights[i]!, 0);
}

/**
 * How far `slope` is from the difference quotients of one element: the central one's, or one side's where LeakyReLU's kink lies to the
 * other. The seed is one of those for which no element has kinks on both sides.
 */
async function distance(
  op: OpCase,
  values: Float32Array[],
  [input, i]: readonly [number, number],
  slope: number,
): Promise<number> {
  const original = values[input]![i]!;
  const at = async (value: number) => {
    values[input]![i] = value;
    return loss(op, values);
  };
  const [below, here, above] = [await at(original - STEP), await at(original), await at(original + STEP)];
  values[input]![i] = original;
  const quotients = [(above - below) / (2 * STEP), (here - below) / STEP, (above - here) / STEP];
  return Math.min(...quotients.map((quotient) => Math.abs(quotient - slope)));
}

describe('operations', () => {
  it.each(opCases.map((op) => [op.name, op] as const))(
    `%s: derivatives against central differences (seed ${SEED})`,
    async (_, op) => {
      const backend = new CpuBackend();
      const values = drawInputs(op, SEED);
      const { gradients } = await runCase(backend, op, values);
      expect(backend.liveBuffers).toBe(0);
      for (const [input, gradient] of gradients.entries()) {
        const scale = Math.max(...gradient.map(Math.abs));
        expect(scale).toBeGreaterThan(0);
        const stride = Math.ceil(gradient.length / 20);
        for (let i = 0; i < gradient.length; i += stride) {
          const apart = await distance(op, values, [input, i], gradient[i]!);
          expect(apart / scale, `input ${input}, element ${i}`).toBeLessThan(2e-3);
        }
      }
    },
  );

  it('computes a linear layer by hand', async () => {
    const backend = new CpuBackend();
    const tape = new Tape(backend);
    const x = tape.constant([2, 2], Float32Array.of(1, 2, 3, 4));
    const weight = tape.constant([3, 2], Float32Array.of(1, 0, 0, 1, 1, 1));
    const y = linear(tape, x, weight, tape.constant([3], Float32Array.of(10, 20, 30)));
    expect([...(await backend.download(y.buffer))]).toEqual([11, 22, 33, 13, 24, 37]);
  });

  it('sums gradients over passes until they are cleared', async () => {
    const backend = new CpuBackend();
    const weight = new Parameter(backend, 'w', [1, 1], Float32Array.of(2));
    const bias = new Parameter(backend, 'b', [1], Float32Array.of(0));
    for (let pass = 0; pass < 3; pass++) {
      const tape = new Tape(backend);
      const y = linear(tape, tape.constant([1, 1], Float32Array.of(5)), weight, bias);
      tape.backward([{ tensor: y, gradient: tape.constant([1, 1], Float32Array.of(0.5)).buffer }]);
      tape.dispose();
    }
    expect([...(await backend.download(weight.gradient))]).toEqual([7.5]);
  });

  it('adds the gradients of a tensor that is seeded twice and used, and leaves the seeds alone', async () => {
    const backend = new CpuBackend();
    const tape = new Tape(backend);
    const x = new Parameter(backend, 'x', [1, 2], Float32Array.of(1, 2));
    const y = same(tape, x);
    const z = same(tape, y);
    const seeds = [1, 10, 100].map((value) => tape.constant([1, 2], Float32Array.of(value, value)).buffer);
    tape.backward([y, y, z].map((tensor, i) => ({ tensor, gradient: seeds[i]! })));
    expect([...(await backend.download(x.gradient))]).toEqual([111, 111]);
    for (const [i, seed] of seeds.entries()) expect(backend.view(seed)[0]).toBe(10 ** i);
  });

  it('writes a forgotten gradient, and settles one that nobody wrote', async () => {
    const backend = new CpuBackend();
    const x = new Parameter(backend, 'x', [1, 1], Float32Array.of(1));
    backend.view(x.gradient).fill(5);
    x.forgetGradient();
    const tape = new Tape(backend);
    const y = same(tape, x);
    tape.backward([{ tensor: y, gradient: tape.constant([1, 1], Float32Array.of(3)).buffer }]);
    expect(backend.view(x.gradient)[0]).toBe(3);
    x.forgetGradient();
    x.settleGradient();
    expect(backend.view(x.gradient)[0]).toBe(0);
  });

  it('names what does not fit', () => {
    const tape = new Tape(new CpuBackend());
    const zeros = (...shape: number[]) => tape.constant(shape, new Float32Array(sizeOf(shape)));
    expect(() => linear(tape, zeros(2, 3), zeros(4, 5), zeros(4))).toThrow(
      /a weight of shape \[4, 3\], found \[4, 5\]/,
    );
    expect(() => linear(tape, zeros(6), zeros(4, 5), zeros(4))).toThrow(/expects a matrix/);
  });
});

describe('CpuBackend', () => {
  it('reuses released arrays and refuses their old names', () => {
    const backend = new CpuBackend();
    const first = backend.allocate(8);
    const array = backend.view(first);
    backend.release(first);
    expect(() => backend.view(first)).toThrow(/already released/);
    expect(backend.view(backend.allocate(8))).toBe(array);
    expect(backend.liveBuffers).toBe(1);
  });

  it('borrows an outside array without ever pooling it', () => {
    const backend = new CpuBackend();
    const mine = Float32Array.of(1, 2, 3);
    const borrowed = backend.wrap(mine);
    expect(backend.view(borrowed)).toBe(mine);
    backend.release(borrowed);
    expect(backend.view(backend.allocate(3))).not.toBe(mine);
  });
});
