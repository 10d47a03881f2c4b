/** Concept files there and back, their metadata, and what is refused. */
import { describe, expect, it } from 'vitest';
import { AdamW } from '../gpu/adamw.ts';
import { CpuBackend } from '../gpu/cpuBackend.ts';
import { AppError } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import { readSafetensors, replaceMetadata, toFloat32, writeSafetensors } from '../lib/safetensors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { readConcept, relabelConcept, writeConcept, type ConceptDraft } from './conceptFile.ts';
import { createMapper, createTable } from './mapper.ts';
import { MAX_CONCEPT_BYTES } from './limits.ts';
import { MAPPER_DEFAULTS, type MapperConfig } from './mapperConfig.ts';
import { variantConfig } from './variants.ts';

const config: MapperConfig = {
  ...MAPPER_DEFAULTS,
  layers: 3,
  contextWidth: 8,
  fourierFeatures: 4,
  hidden: 8,
  timeAnchors: 2,
  normScale: 0.4,
};
const hash = 'ab'.repeat(32);
const base = { id: 'sticker-world', hash };
const THUMBNAIL = 'data:image/png;base64,iVBORw0KGgo=';

async function draft(changes: Partial<ConceptDraft> = {}): Promise<ConceptDraft> {
  return {
    config,
    state: await createMapper(new CpuBackend(), config, new Random(1)).state(),
    info: {
      name: 'Pip',
      category: 'cat',
      kind: 'object',
      step: 150,
      baseId: base.id,
      baseHash: hash,
      created: '2026-01-02T03:04:05.000Z',
      thumbnail: THUMBNAIL,
    },
    training: { seed: 7, learningRate: 8e-3, losses: Array.from({ length: 20 }, (_, i) => 20 - i) },
    resolution: 64,
    predictionType: 'epsilon',
    ...changes,
  };
}

/** The file with one metadata text changed. */
function withText(file: Uint8Array, key: string, change: (text: string) => string | null): Uint8Array {
  const metadata = new Map(readSafetensors(file).metadata);
  const changed = change(metadata.get(key)!);
  if (changed === null) metadata.delete(key);
  else metadata.set(key, changed);
  return replaceMetadata(file, metadata);
}

type Tensors = Map<string, { shape: readonly number[]; values: Float32Array }>;

/** The file with other tensors and a hash that fits them. */
async function withTensors(file: Uint8Array, change: (tensors: Tensors) => void): Promise<Uint8Array> {
  const { tensors, metadata } = readSafetensors(file);
  const all = new Map([...tensors].map(([name, t]) => [name, { shape: t.shape, values: toFloat32(t) }]));
  change(all);
  const { data } = readSafetensors(writeSafetensors(all, metadata));
  return writeSafetensors(
    all,
    new Map([...metadata, ['modelspec.hash_sha256', `0x${await sha256Hex(data)}`]]),
  );
}

const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'read',
    (error: unknown) => (error instanceof AppError ? error.code : `not an AppError: ${String(error)}`),
  );

it('in half precision has what was learned to three digits, the frequencies whole, in half the bytes', async () => {
  const written = await draft();
  const [whole, half] = [await writeConcept(written), await writeConcept({ ...written, half: true })];
  const data = (file: Uint8Array) => readSafetensors(file).data.length;
  const { state } = await readConcept(half, base);
  const frequencies = written.state.get('encoder.w')!;
  expect(data(half)).toBe((data(whole) + frequencies.byteLength) / 2);
  expect(state.get('encoder.w')).toEqual(frequencies);
  for (const [name, values] of state)
    values.forEach((value, i) => expect(value).toBeCloseTo(written.state.get(name)![i]!, 3));
});

describe('concept file', () => {
  it('reads what it wrote', async () => {
    const written = await draft();
    const concept = await readConcept(await writeConcept(written), base);
    expect(concept.config).toEqual(config);
    expect(concept.state).toEqual(written.state);
    expect(concept.info).toEqual({
      ...written.info,
      tags: [],
      word: { vectors: 1, plain: false, hidden: config.hidden },
    });
    expect(concept.training).toEqual({
      seed: 7,
      learningRate: 8e-3,
      losses: { steps: 20, first: 19.5, last: 1.5 },
      start: null,
    });
    expect(concept.optimizer).toBeNull();
  });

  it('carries the texts that other programs show', async () => {
    const { metadata, tensors } = readSafetensors(await writeConcept(await draft()));
    expect(metadata.get('modelspec.sai_model_spec')).toBe('1.0.1');
    expect(metadata.get('modelspec.architecture')).toBe('sticker-world/neti');
    expect(metadata.get('modelspec.title')).toBe('Pip');
    expect(metadata.get('modelspec.thumbnail')).toBe(THUMBNAIL);
    expect([...tensors.keys()].slice(0, 4)).toEqual([
      'encoder.w',
      'input_layer.weight',
      'input_layer.bias',
      'net.1.weight',
    ]);
  });

  it('reads a file from before there were variants as NeTI', async () => {
    const file = await writeConcept(await draft());
    const older = withText(file, 'neti.configuration', (text) => {
      const { time, space, network, vectors, ...rest } = JSON.parse(text) as Record<string, unknown>;
      expect([time, space, network, vectors]).toEqual([true, true, true, 1]);
      return JSON.stringify(rest);
    });
    expect((await readConcept(older, base)).config).toEqual(config);
  });

  it('carries plain vectors, one a layer', async () => {
    const embedding = new Random(3).fillNormal(new Float32Array(8));
    const plain = variantConfig('xti', 3, embedding);
    const state = await createTable(new CpuBackend(), plain, embedding).state();
    const concept = await readConcept(await writeConcept(await draft({ config: plain, state })), base);
    expect([concept.config, concept.state]).toEqual([plain, state]);
  });

  it.each(['textual-inversion', 'xti'] as const)('carries several vectors a word: %s', async (variant) => {
    const embedding = new Random(3).fillNormal(new Float32Array(8));
    const several = { ...variantConfig(variant, 3, embedding), vectors: 4 };
    const state = await createTable(new CpuBackend(), several, embedding).state();
    const file = await writeConcept(await draft({ config: several, state }));
    const concept = await readConcept(file, base);
    expect([concept.config, concept.state]).toEqual([several, state]);
    expect(concept.info.word).toEqual({
      vectors: 4,
      plain: variant === 'textual-inversion',
      hidden: 128,
    });
    for (const [claim, expected] of [
      ['5', 'concept.size'],
      ['75', 'concept.size'],
      ['76', 'concept.corrupt'],
      ['1e15', 'concept.corrupt'],
      ['0', 'concept.corrupt'],
      ['1.5', 'concept.corrupt'],
    ] as const) {
      const claiming = withText(file, 'neti.configuration', (text) =>
        text.replace('"vectors":4', `"vectors":${claim}`),
      );
      expect(await code(readConcept(claiming, base)), claim).toBe(expected);
    }
  });

  it("keeps the optimizer's state", async () => {
    const backend = new CpuBackend();
    const mapper = createMapper(backend, config, new Random(2));
    const optimizer = new AdamW(backend, mapper.parameters, { learningRate: 1e-2 });
    for (const { gradient } of mapper.parameters) backend.view(gradient).fill(0.5);
    optimizer.step();
    const state = await optimizer.state();
    const concept = await readConcept(await writeConcept(await draft({ optimizer: state })), base);
    expect(concept.optimizer).toEqual(state);
  });

  it('takes another label and leaves the weights alone', async () => {
    const file = await writeConcept(await draft());
    const relabelled = await relabelConcept(file, { name: '  Mimi ', thumbnail: '' });
    const [before, after] = [await readConcept(file), await readConcept(relabelled, base)];
    expect(after).toEqual({ ...before, info: { ...before.info, name: 'Mimi', thumbnail: '' } });
    expect(readSafetensors(relabelled).metadata.get('modelspec.title')).toBe('Mimi');
    const tagged = await relabelConcept(file, { name: 'Mimi', thumbnail: '', tags: ['soft', 'grey'] });
    expect(readSafetensors(tagged).metadata.get('modelspec.tags')).toBe('soft, grey');
    const again = await relabelConcept(tagged, { name: 'Mia', thumbnail: '' });
    expect((await readConcept(again)).info.tags).toEqual(['soft', 'grey']);
    expect(await code(relabelConcept(file, { name: ' ', thumbnail: '' }))).toBe('concept.draft');
  });

  it('does not write what it would not read', async () => {
    const { info, state } = await draft();
    expect(await code(draft({ info: { ...info, name: 'x'.repeat(201) } }).then(writeConcept))).toBe(
      'concept.draft',
    );
    const less = new Map([...state].slice(1));
    expect(await code(draft({ state: less }).then(writeConcept))).toBe('concept.draft');
  });

  it('names the base model that a concept belongs to', async () => {
    const file = await writeConcept(await draft());
    const other = readConcept(file, { id: 'sd-1.4', hash: 'cd'.repeat(32) });
    await expect(other).rejects.toThrow(/learned on "sticker-world" and cannot be used with "sd-1.4"/);
    expect(await code(readConcept(file, { id: base.id, hash: 'cd'.repeat(32) }))).toBe('concept.base');
  });

  it('refuses what is too large before looking at it', async () => {
    expect(await code(readConcept(new Uint8Array(MAX_CONCEPT_BYTES + 1)))).toBe('concept.size');
  });

  it.each<[string, string, string, (text: string) => string | null]>([
    ['a later version', 'concept.version', 'neti.format', () => '2'],
    ['no version', 'concept.corrupt', 'neti.format', () => null],
    ['no configuration', 'concept.corrupt', 'neti.configuration', () => null],
    ['a configuration that is not JSON', 'concept.corrupt', 'neti.configuration', () => '{'],
    [
      'anchors that do not divide 1000',
      'concept.corrupt',
      'neti.configuration',
      (t) => t.replace('"timeAnchors":2', '"timeAnchors":3'),
    ],
    [
      'an absurd width',
      'concept.corrupt',
      'neti.configuration',
      (t) => t.replace('"contextWidth":8', '"contextWidth":1e9'),
    ],
    [
      'another width than the tensors have',
      'concept.size',
      'neti.configuration',
      (t) => t.replace('"contextWidth":8', '"contextWidth":16'),
    ],
    [
      'a bypass that the tensors lack',
      'concept.size',
      'neti.configuration',
      (t) => t.replace('"textualBypass":true', '"textualBypass":false'),
    ],
    [
      'several vectors of a network',
      'concept.corrupt',
      'neti.configuration',
      (t) => t.replace('"vectors":1', '"vectors":2'),
    ],
    ['a hash of another file', 'concept.corrupt', 'modelspec.hash_sha256', () => `0x${hash}`],
    ['no hash', 'concept.corrupt', 'modelspec.hash_sha256', () => null],
    [
      'a thumbnail on a server',
      'concept.corrupt',
      'modelspec.thumbnail',
      () => 'https://example.org/spy.png',
    ],
    [
      'a thumbnail that is a script',
      'concept.corrupt',
      'modelspec.thumbnail',
      () => 'data:image/svg+xml;base64,AAAA',
    ],
    ['an empty name', 'concept.corrupt', 'neti.concept', (t) => t.replace('Pip', ' ')],
    ['a date that is none', 'concept.corrupt', 'neti.concept', (t) => t.replace('2026-01-02', 'yesterday')],
    ['negative steps', 'concept.corrupt', 'neti.training', (t) => t.replace('"step":150', '"step":-1')],
  ])('refuses %s', async (_, expected, key, change) => {
    const file = await writeConcept(await draft());
    expect(await code(readConcept(withText(file, key, change), base))).toBe(expected);
  });

  it.each<[string, string, (tensors: Tensors) => void]>([
    ['a weight that is not a number', 'concept.corrupt', (t) => t.get('net.1.bias')!.values.fill(NaN)],
    ['an infinite weight', 'concept.corrupt', (t) => (t.get('encoder.w')!.values[3] = -Infinity)],
    ['a missing tensor', 'concept.corrupt', (t) => t.delete('net.5.bias')],
    [
      'a tensor that no concept has',
      'concept.corrupt',
      (t) => t.set('extra', { shape: [1], values: Float32Array.of(1) }),
    ],
    [
      'half an optimizer',
      'concept.corrupt',
      (t) => t.set('adamw.step', { shape: [1], values: Float32Array.of(1) }),
    ],
    [
      'a transposed tensor',
      'concept.size',
      (t) => t.set('encoder.w', { ...t.get('encoder.w')!, shape: [2, 4] }),
    ],
  ])('refuses %s', async (_, expected, change) => {
    const file = await withTensors(await writeConcept(await draft()), change);
    expect(await code(readConcept(file, base))).toBe(expected);
  });

  it('answers any truncation, flipped byte or inserted rubbish with a concept error (seed 3)', async () => {
    const file = await writeConcept(await draft());
    const random = new Random(3);
    const headerEnd = file.length - readSafetensors(file).data.length;
    for (let round = 0; round < 1500; round++) {
      let broken = file.slice();
      if (round % 3 === 0) broken = broken.slice(0, random.int(file.length));
      const flips = round % 3 === 0 ? random.int(2) : 1 + random.int(4);
      for (let flip = 0; flip < flips && broken.length > 0; flip++) {
        const reach = round % 3 === 1 ? Math.min(headerEnd, broken.length) : broken.length;
        broken[random.int(reach)]! ^= 1 + random.int(255);
      }
      // A flip in a text that nobody checks, such as the usage hint, leaves a valid concept.
      expect(
        ['read', 'concept.corrupt', 'concept.base', 'concept.size', 'concept.version'],
        `round ${round}`,
      ).toContain(await code(readConcept(broken, base)));
    }
  });

  it('never lets a changed weight through', async () => {
    const file = await writeConcept(await draft());
    const random = new Random(4);
    const { length } = readSafetensors(file).data;
    for (let round = 0; round < 200; round++) {
      const broken = file.slice();
      broken[file.length - 1 - random.int(length)]! ^= 1 << random.int(8);
      expect(await code(readConcept(broken, base))).toBe('concept.corrupt');
    }
  });
});
