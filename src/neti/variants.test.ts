/** The paper's variants: each one's configuration trains, and is told apart in its file. */
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../gpu/cpuBackend.ts';
import { Tape } from '../gpu/tape.ts';
import { Random } from '../lib/random.ts';
import { createMapper, createTable, Mapper } from './mapper.ts';
import { variantConfig, variantNames, type VariantName } from './variants.ts';

const LAYERS = 3;
const WIDTH = 4;
const embedding = Float32Array.of(0.1, -0.2, 0.3, 0.4);
/** Two timesteps by three layers. */
const TIMESTEPS = [100, 100, 100, 800, 800, 800];
const ROW_LAYERS = [0, 1, 2, 0, 1, 2];

function make(backend: CpuBackend, name: VariantName): Mapper {
  const config = variantConfig(name, LAYERS, embedding);
  return config.network
    ? createMapper(backend, config, new Random(1))
    : createTable(backend, config, embedding);
}

function rowsOf(name: VariantName): number[][] {
  const backend = new CpuBackend();
  const tape = new Tape(backend);
  const { base } = make(backend, name).forward(tape, TIMESTEPS, ROW_LAYERS);
  const all = [...backend.view(base.buffer)];
  return TIMESTEPS.map((_, r) => all.slice(r * WIDTH, (r + 1) * WIDTH));
}

describe('variants', () => {
  it.each(variantNames)('%s varies with time and with space as it should', (name) => {
    const { time, space } = variantConfig(name, LAYERS, embedding);
    const [early, otherLayer, , late] = rowsOf(name);
    const isTable = name === 'textual-inversion' || name === 'xti';
    if (time) expect(late).not.toEqual(early);
    else expect(late).toEqual(early);
    if (space && !isTable) expect(otherLayer).not.toEqual(early);
    if (!space) expect(otherLayer).toEqual(early);
  });

  it.each(['textual-inversion', 'xti'] as const)("%s starts as the category's embedding", (name) => {
    for (const row of rowsOf(name)) expect(row).toEqual([...embedding]);
  });

  it.each([
    ['textual-inversion', [[0, 1, 2, 3, 4, 5]]],
    [
      'xti',
      [
        [0, 3],
        [1, 4],
        [2, 5],
      ],
    ],
  ] as const)('%s sums the gradients of the rows that share a vector', async (name, shared) => {
    const backend = new CpuBackend();
    const mapper = make(backend, name);
    const tape = new Tape(backend);
    const output = mapper.forward(tape, TIMESTEPS, ROW_LAYERS);
    const gradient = Float32Array.from({ length: TIMESTEPS.length * WIDTH }, (_, i) => (i % 7) - 3);
    mapper.backward(tape, output, { base: backend.wrap(gradient) });
    const [vectors] = mapper.parameters;
    const found = [...(await backend.download(vectors!.gradient))];
    const expected = Array.from({ length: WIDTH }, (_, d) =>
      shared.map((rows) => rows.reduce<number>((sum, r) => sum + gradient[r * WIDTH + d]!, 0)),
    ).flat();
    expect(found).toEqual(expected);
  });

  it.each([
    ['textual-inversion', [0, 1, 0, 1]],
    ['xti', [4, 5, 2, 3]],
  ] as const)('%s gives the vectors of each row one after another', (name, columns) => {
    const backend = new CpuBackend();
    const config = { ...variantConfig(name, LAYERS, embedding), vectors: 2 };
    const count = name === 'xti' ? 2 * LAYERS : 2;
    const table = Float32Array.from({ length: WIDTH * count }, (_, i) => i);
    const mapper = new Mapper(backend, config, new Map([['vectors', table]]));
    const { base } = mapper.forward(new Tape(backend), [7, 7], [2, 1]);
    expect(base.shape).toEqual([4, WIDTH]);
    const expected = columns.flatMap((column) => Array.from({ length: WIDTH }, (_, d) => d * count + column));
    expect([...backend.view(base.buffer)]).toEqual(expected);
  });

  it('plain vectors refuse what only a network has', () => {
    const config = { ...variantConfig('xti', LAYERS, embedding), nestedDropout: 0.5 };
    expect(() => createTable(new CpuBackend(), config, embedding)).toThrow(/nested dropout/);
  });
});
