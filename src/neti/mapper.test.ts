/** The mapper against the official implementation's outputs and gradients. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AdamW } from '../gpu/adamw.ts';
import { CpuBackend } from '../gpu/cpuBackend.ts';
import { Tape } from '../gpu/tape.ts';
import { sizeOf } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import { createMapper, Mapper } from './mapper.ts';
import { MAPPER_DEFAULTS, parameterShapes, type MapperConfig } from './mapperConfig.ts';
import { goldenErrors } from './testing/mapperGoldens.ts';

const config: MapperConfig = { ...MAPPER_DEFAULTS, layers: 16, contextWidth: 128, normScale: 0.4 };
const small: MapperConfig = {
  ...config,
  layers: 3,
  contextWidth: 8,
  fourierFeatures: 16,
  hidden: 16,
  timeAnchors: 2,
};

const fixture = (name: string): Uint8Array =>
  readFileSync(new URL(`./fixtures/${name}.safetensors`, import.meta.url));

async function outputs(
  backend: CpuBackend,
  mapper: Mapper,
  t: number[],
  l: number[],
  keep?: number | number[],
) {
  const tape = new Tape(backend);
  const { base, bypass } = mapper.forward(tape, t, l, keep);
  const read = {
    base: backend.view(base.buffer).slice(),
    bypass: bypass && backend.view(bypass.buffer).slice(),
  };
  tape.dispose();
  return read;
}

describe('Mapper', () => {
  it.each(['mapper_pe_bypass_norm', 'mapper_basic_nobypass'])(
    'matches the official mapper on the CPU: %s',
    async (name) => {
      const backend = new CpuBackend();
      const errors = await goldenErrors(backend, fixture(name));
      expect(errors.size).toBeGreaterThanOrEqual(27);
      for (const [tensor, error] of errors) expect(error, tensor).toBeLessThanOrEqual(1e-5);
      expect(backend.liveBuffers).toBe(0);
    },
  );

  it('has the official number of parameters at the width of Stable Diffusion 1.x', () => {
    const shapes = [...parameterShapes({ ...config, contextWidth: 768 }).values()];
    expect(shapes.reduce((sum, shape) => sum + sizeOf(shape), 0)).toBe(563_616);
  });

  it("starts with the anchors in the input layer and PyTorch's bounds elsewhere", async () => {
    const mapper = createMapper(new CpuBackend(), config, new Random(1));
    const state = await mapper.state();
    const [w, input] = [state.get('encoder.w')!, state.get('input_layer.weight')!];
    // Anchor 3·16 + 5: timestep 300, layer 5.
    const sine = Math.sin(w[2 * 7]! * 300 + w[2 * 7 + 1]! * 5) / 32;
    expect(input[(3 * 16 + 5) * 2048 + 7]).toBeCloseTo(sine, 6);
    const largest = (name: string) => Math.max(...state.get(name)!.map(Math.abs));
    expect(largest('net.1.weight')).toBeLessThanOrEqual(1 / Math.sqrt(160));
    expect(largest('net.1.weight')).toBeGreaterThan(0.99 / Math.sqrt(160));
    expect(largest('input_layer.bias')).toBeLessThanOrEqual(1 / Math.sqrt(2048));
    expect(new Set(state.get('net.2.weight'))).toEqual(new Set([1]));
    const deviation = (column: number) =>
      Math.sqrt(w.reduce((sum, value, i) => sum + (i % 2 === column ? value ** 2 : 0), 0) / 1024);
    expect(deviation(0)).toBeCloseTo(0.03, 2);
    expect(Math.abs(deviation(1) - 2)).toBeLessThan(0.2);
  });

  it('gives rows of the asked norm over both halves', async () => {
    const backend = new CpuBackend();
    const mapper = createMapper(backend, small, new Random(2));
    const { base, bypass } = await outputs(backend, mapper, [10, 900], [0, 2]);
    for (let row = 0; row < 2; row++) {
      const values = [...base.subarray(row * 8, row * 8 + 8), ...bypass!.subarray(row * 8, row * 8 + 8)];
      expect(Math.hypot(...values)).toBeCloseTo(0.4, 6);
    }
  });

  it('truncates each row by itself', async () => {
    const backend = new CpuBackend();
    const mapper = createMapper(backend, small, new Random(3));
    const mixed = await outputs(backend, mapper, [10, 900], [0, 2], [5, 16]);
    const five = await outputs(backend, mapper, [10, 900], [0, 2], 5);
    const all = await outputs(backend, mapper, [10, 900], [0, 2]);
    expect(mixed.base.subarray(0, 8)).toEqual(five.base.subarray(0, 8));
    expect(mixed.base.subarray(8)).toEqual(all.base.subarray(8));
    expect(five.base).not.toEqual(all.base);
  });

  it('is the same again from its state, and from the same seed', async () => {
    const backend = new CpuBackend();
    const mapper = createMapper(backend, small, new Random(4));
    const again = new Mapper(backend, small, await mapper.state());
    const twin = createMapper(backend, small, new Random(4));
    const expected = await outputs(backend, mapper, [1, 999], [1, 2]);
    expect(await outputs(backend, again, [1, 999], [1, 2])).toEqual(expected);
    expect(await outputs(backend, twin, [1, 999], [1, 2])).toEqual(expected);
  });

  it('refuses anchors that do not divide 1000 and tensors that do not fit', async () => {
    const backend = new CpuBackend();
    expect(() => createMapper(backend, { ...small, timeAnchors: 3 }, new Random(0))).toThrow(
      /must divide 1000, found 3/,
    );
    const state = new Map(await createMapper(backend, small, new Random(0)).state());
    state.delete('net.4.bias');
    expect(() => new Mapper(backend, small, state)).toThrow(/net\.4\.bias: expected 16 values/);
  });

  it('leaks no buffer over 1,000 training steps', () => {
    const backend = new CpuBackend();
    const mapper = createMapper(backend, small, new Random(5));
    const optimizer = new AdamW(backend, mapper.parameters, { learningRate: 1e-3 });
    const before = backend.liveBuffers;
    for (let step = 0; step < 1000; step++) {
      const tape = new Tape(backend);
      const output = mapper.forward(tape, [step], [step % 3], [step % 17]);
      optimizer.zeroGradients();
      mapper.backward(tape, output, { base: output.base.buffer, bypass: output.bypass!.buffer });
      optimizer.step();
      tape.dispose();
    }
    expect(backend.liveBuffers).toBe(before);
    optimizer.release();
    mapper.release();
    expect(backend.liveBuffers).toBe(0);
  });
});
