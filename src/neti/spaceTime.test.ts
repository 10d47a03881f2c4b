/** The map's numbers against NumPy (fixtures/make_space_time.py), on what the official mapper gave. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../gpu/cpuBackend.ts';
import { relativeError } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import { readSafetensors, toFloat32 } from '../lib/safetensors.ts';
import { createMapper } from './mapper.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import { principalAxes, project } from './principal.ts';
import { MAP_TIMESTEPS, mapOf, nearestWords, wordVectors } from './spaceTime.ts';

interface Principal {
  readonly components: number[];
  readonly shares: number[];
}

interface Witness {
  readonly learned: Principal;
  readonly table: Principal;
  readonly norms: number[];
  readonly distances: number[];
  readonly nearest: [number, number][][];
}

const fixture = (name: string) => readFile(new URL(`./fixtures/${name}`, import.meta.url));
const witness = JSON.parse((await fixture('space_time.json')).toString('utf8')) as Witness;
const golden = readSafetensors(await fixture('mapper_pe_bypass_norm.safetensors')).tensors;
const outputs = toFloat32(golden.get('fwd.output')!);
/** The first halves of 8 outputs. */
const learned = Float32Array.from({ length: 8 * 32 }, (_, i) => outputs[64 * Math.floor(i / 32) + (i % 32)]!);

/** As `table` of the fixture's program. */
function table(rows: number, width: number): Float32Array {
  return Float32Array.from({ length: rows * width }, (_, index) => {
    const [i, j] = [Math.floor(index / width), index % width];
    const wave = Math.sin(0.37 * i * (1 + (j % 5))) / (1 + (j % 5));
    return wave + 0.2 * Math.cos(1.7 * i + 0.3 * j * j);
  });
}

describe('principal components', () => {
  it.each([
    ['of official word vectors', learned, 32, witness.learned],
    ['of a larger table', table(320, 48), 48, witness.table],
  ])('%s are NumPy’s', (_, rows, width, expected) => {
    const axes = principalAxes(rows, width, 2);
    expect(relativeError(project(rows, axes), expected.components)).toBeLessThan(1e-4);
    expect(relativeError(axes.shares, expected.shares)).toBeLessThan(1e-6);
  });

  it('of vectors that are all alike are nothing', () => {
    const axes = principalAxes(new Float32Array(40).fill(3), 4, 2);
    expect(axes.shares).toEqual([0, 0]);
    expect([...project(Float32Array.of(1, 2, 3, 4), axes)]).toEqual([0, 0]);
  });
});

const words = Array.from({ length: 200 }, (_, i) => `word ${i}`);
const embeddings = table(200, 32);

it('norms and distances to the category’s embedding are NumPy’s', () => {
  const map = mapOf(learned, learned, 32, embeddings.subarray(3 * 32, 4 * 32));
  expect(relativeError(map.norms, witness.norms)).toBeLessThan(1e-6);
  expect(relativeError(map.distances!, witness.distances)).toBeLessThan(1e-6);
  expect(mapOf(learned, learned, 32, null).distances).toBeNull();
});

it('the nearest words are those that NumPy finds by looking at all', () => {
  witness.nearest.forEach((expected, row) => {
    const found = nearestWords(learned.subarray(row * 32, (row + 1) * 32), words, embeddings, 3);
    expect(found.map(({ word }) => word)).toEqual(expected.map(([index]) => `word ${index}`));
    const cosines = found.map(({ cosine }) => cosine);
    expect(
      relativeError(
        cosines,
        expected.map(([, cosine]) => cosine),
      ),
    ).toBeLessThan(1e-5);
  });
});

it('a map’s vectors are the mapper’s, timesteps outermost', async () => {
  const backend = new CpuBackend();
  const config = {
    ...MAPPER_DEFAULTS,
    layers: 3,
    contextWidth: 4,
    hidden: 8,
    normScale: 0.4,
    fourierFeatures: 16,
  };
  const mapper = await createMapper(backend, config, new Random(2));
  const all = await wordVectors(backend, mapper, MAP_TIMESTEPS);
  expect(all).toHaveLength(20 * 3 * 4);
  expect([MAP_TIMESTEPS[0], MAP_TIMESTEPS.at(-1)]).toEqual([975, 25]);
  const one = await wordVectors(backend, mapper, [MAP_TIMESTEPS[7]!]);
  expect(relativeError(all.subarray(7 * 12, 8 * 12), one)).toBeLessThan(1e-6);
});
