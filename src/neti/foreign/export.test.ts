/** Concepts written for the official code and as textual inversions. */
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../../gpu/cpuBackend.ts';
import { Random } from '../../lib/random.ts';
import { readSafetensors, toFloat32 } from '../../lib/safetensors.ts';
import { readConcept, type Concept } from '../conceptFile.ts';
import { createMapper } from '../mapper.ts';
import { MAPPER_DEFAULTS, type MapperConfig } from '../mapperConfig.ts';
import { importConcepts } from './importConcept.ts';
import { OFFICIAL_EMBEDS_NAME, OFFICIAL_MAPPER_NAME, writeOfficial } from './officialExport.ts';
import { variantConfig } from '../variants.ts';
import { base, CREATED, importFixtures, tensor } from '../testing/foreignFixtures.ts';
import { averageWord, writeTextualInversion } from './inversionExport.ts';

const embedding = new Random(5).fillNormal(new Float32Array(12));

async function imported(name: string, layers: number): Promise<Concept> {
  return readConcept(await importFixtures([name], base(layers, 12)));
}

describe('writeOfficial', () => {
  it.each([
    ['mapper-steps-250.pt', 4],
    ['mapper-final.pt', 16],
  ])('writes what the official reader and ours read back to the bit: %s', async (name, layers) => {
    const concept = await imported(name, layers);
    const files = [...writeOfficial(concept, embedding)].map(([file, bytes]) => ({
      name: file,
      bytes: new Uint8Array(bytes),
    }));
    expect(files.map((file) => file.name)).toEqual([OFFICIAL_MAPPER_NAME, OFFICIAL_EMBEDS_NAME]);
    const [file] = await importConcepts(files, base(layers, 12), CREATED);
    const again = await readConcept(file!);
    expect(again.config).toEqual(concept.config);
    expect(again.state).toEqual(concept.state);
    const { name: title, category, kind, step } = concept.info;
    expect(again.info).toMatchObject({ name: title, category, kind, step });
    expect(again.training).toEqual(concept.training);
  });

  it('refuses a word of several vectors', async () => {
    const concept = await readConcept(await importFixtures(['three.pt'], base(16, 128)));
    expect(() => writeOfficial(concept, embedding)).toThrow(
      expect.objectContaining({ code: 'official.variant' }),
    );
  });

  it.each([{ space: false }, { time: false }])(
    'refuses what the official code has not: %o',
    async (changes) => {
      const concept = await imported('mapper-steps-250.pt', 4);
      const blind = { ...concept, config: { ...concept.config, ...changes } };
      expect(() => writeOfficial(blind, embedding)).toThrow(
        expect.objectContaining({ code: 'official.variant' }),
      );
    },
  );
});

describe('writeTextualInversion', () => {
  it('averages a mapper to one vector of its mean norm, and says that it lost something', async () => {
    const backend = new CpuBackend();
    const concept = await imported('mapper-steps-250.pt', 4);
    const { metadata, tensors } = readSafetensors(await writeTextualInversion(concept, backend));
    expect(metadata.get('neti.lossy')).toBe('true');
    expect(metadata.get('modelspec.description')).toMatch(/^Lossy: the mean .* over 50 timesteps/);
    const [[token, tensor]] = [...tensors] as [[string, NonNullable<ReturnType<typeof tensors.get>>]];
    expect(token).toBe('<colorful-teapot>');
    expect(tensor.shape).toEqual([1, 12]);
    expect(toFloat32(tensor)).toEqual(await averageWord(concept, backend));
    expect(backend.liveBuffers).toBe(0);
  });

  it('keeps the norm of vectors that are all alike', async () => {
    const config: MapperConfig = {
      ...MAPPER_DEFAULTS,
      layers: 3,
      contextWidth: 8,
      fourierFeatures: 8,
      hidden: 8,
      timeAnchors: 2,
      normScale: 0.7,
      textualBypass: false,
    };
    const backend = new CpuBackend();
    const state = new Map(await createMapper(backend, config, new Random(1)).state());
    state.get('output_layer.0.weight')!.fill(0);
    const { info, training } = await imported('mapper-steps-250.pt', 4);
    const word = await averageWord(
      { config, state, info, training, optimizer: null, position: null },
      backend,
    );
    const bias = state.get('output_layer.0.bias')!;
    expect(Math.hypot(...word)).toBeCloseTo(0.7, 6);
    word.forEach((value, i) => expect(value).toBeCloseTo((0.7 * bias[i]!) / Math.hypot(...bias), 6));
  });

  it.each([
    ['webui.pt', [1, 128], tensor('word.safetensors', 'vector')],
    ['three.pt', [3, 128], tensor('three.safetensors', '<cat-toy>')],
  ])('gives a textual inversion back to the bit: %s', async (name, shape, stored) => {
    const words = base(16, 128);
    const concept = await readConcept(await importFixtures([name], words));
    const bytes = await writeTextualInversion(concept, new CpuBackend());
    const { metadata, tensors } = readSafetensors(bytes);
    expect(metadata.get('neti.lossy')).toBe('false');
    const written = tensors.get('<cat-toy>')!;
    expect([written.shape, toFloat32(written)]).toEqual([shape, stored]);
    const again = await readConcept(
      (await importConcepts([{ name: 'learned_embeds.safetensors', bytes }], words, CREATED))[0]!,
    );
    expect([again.config, again.state]).toEqual([concept.config, concept.state]);
    expect(again.info.name).toBe('cat-toy');
  });

  it('averages each vector of a concept of several that differ between layers', async () => {
    const [vectors, layers, width] = [2, 3, 4];
    const embedding = new Float32Array(width).fill(1);
    const config = { ...variantConfig('xti', layers, embedding), vectors };
    const { info, training } = await imported('mapper-steps-250.pt', 4);
    const table = new Random(6).fillNormal(new Float32Array(width * layers * vectors));
    const concept = {
      config,
      state: new Map([['vectors', table]]),
      info,
      training,
      optimizer: null,
      position: null,
    };
    const words = await averageWord(concept, new CpuBackend());
    expect(words.length).toBe(vectors * width);
    for (let v = 0; v < vectors; v++) {
      const own = Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: width }, (_, d) => table[d * layers * vectors + layer * vectors + v]!),
      );
      const mean = embedding.map((_, d) => own.reduce((sum, row) => sum + row[d]! / layers, 0));
      const norm = own.reduce((sum, row) => sum + Math.hypot(...row) / layers, 0);
      mean.forEach((value, d) =>
        expect(words[v * width + d]).toBeCloseTo((value * norm) / Math.hypot(...mean), 5),
      );
    }
  });
});
