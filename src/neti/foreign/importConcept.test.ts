/** Files of the official code and of textual inversion's programs, as those wrote them. */
import { MAPPER_DEFAULTS } from '../mapperConfig.ts';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../../gpu/cpuBackend.ts';
import { Tape } from '../../gpu/tape.ts';
import { relativeError } from '../../lib/numbers.ts';
import type { AppError } from '../../lib/errors.ts';
import { PickledObject, PickledTuple, type Pickled } from '../../lib/pickled.ts';
import { readSafetensors, writeSafetensors } from '../../lib/safetensors.ts';
import { readTorchFile, TENSOR_GLOBALS } from '../../lib/torchFile.ts';
import { TorchWriter } from '../../lib/torchWriter.ts';
import { readConcept, relabelConcept, type Concept } from '../conceptFile.ts';
import { Mapper } from '../mapper.ts';
import { importConcepts } from './importConcept.ts';
import { POSITIONAL_ENCODER } from './officialMapper.ts';
import { base, CREATED, fixture, importFixtures, tensor } from '../testing/foreignFixtures.ts';

const official = [
  { suffix: 'steps-250', open: base(4, 12), keep: [undefined, 5] },
  // Nested dropout is off in this one, so the official mapper truncates nothing.
  { suffix: 'final', open: base(16, 12), keep: [undefined] },
] as const;

/** Rows of both halves side by side, as the official mapper returns them. */
function outputs({ config, state }: Concept, suffix: string, keep: number | undefined): Float32Array {
  const backend = new CpuBackend();
  const [timesteps, layers] = ['timesteps', 'layers'].map((name) =>
    tensor(`goldens-${suffix}.safetensors`, name),
  ) as [Float32Array, Float32Array];
  const tape = new Tape(backend);
  const { base: first, bypass } = new Mapper(backend, config, state).forward(tape, timesteps, layers, keep);
  const halves = [first, ...(bypass ? [bypass] : [])].map(({ buffer }) => backend.view(buffer));
  const width = config.contextWidth;
  return Float32Array.from(
    [...timesteps].flatMap((_, r) =>
      halves.flatMap((half) => [...half.subarray(r * width, (r + 1) * width)]),
    ),
  );
}

describe('importConcepts', () => {
  it.each(official)('reads an official mapper whose outputs are the official ones: $suffix', async (each) => {
    const { suffix, open, keep } = each;
    const file = await importFixtures([`mapper-${suffix}.pt`, `learned_embeds-${suffix}.bin`], open);
    const concept = await readConcept(file, open);
    for (const count of keep) {
      const golden = tensor(`goldens-${suffix}.safetensors`, count ? `output.trunc${count}` : 'output');
      expect(relativeError(outputs(concept, suffix, count), golden)).toBeLessThanOrEqual(1e-5);
    }
  });

  it('takes name, category, step, norm and what the file calls its base from the checkpoint', async () => {
    const open = base(4, 12);
    const concept = await readConcept(await importFixtures(['mapper-steps-250.pt'], open), open);
    expect(concept.info).toEqual({
      name: 'colorful-teapot',
      category: 'teapot',
      kind: 'object',
      step: 250,
      created: CREATED,
      thumbnail: '',
      tags: [],
      baseId: open.id,
      baseHash: open.hash,
      word: { vectors: 1, plain: false, hidden: MAPPER_DEFAULTS.hidden },
      imported: {
        format: 'official-neti',
        files: ['mapper-steps-250.pt'],
        base: 'CompVis/stable-diffusion-v1-4',
      },
    });
    expect(concept.training).toEqual({ seed: 7, learningRate: 8e-3, losses: null, start: null });
    const norm = Math.hypot(...tensorOfEmbeds(concept));
    expect(concept.config).toMatchObject({
      layers: 4,
      timeAnchors: 2,
      fourierFeatures: 16,
      sigmaTime: 0.03,
      sigmaLayer: 2,
    });
    expect(norm).toBeCloseTo(concept.config.normScale!, 4);
  });

  it('reads the other encoder, without bypass, norm and nested dropout', async () => {
    const open = base(16, 12);
    const { config, info } = await readConcept(await importFixtures(['mapper-final.pt'], open), open);
    expect(config).toMatchObject({
      positionalEncoding: false,
      textualBypass: false,
      normScale: null,
      nestedDropout: 0,
    });
    expect(info.step).toBe(1000);
  });

  it('says in the file that the base was not checked, also after a new name', async () => {
    const open = base(4, 12);
    const file = await importFixtures(['mapper-steps-250.pt', 'learned_embeds-steps-250.bin'], open);
    const { metadata } = readSafetensors(await relabelConcept(file, { name: 'pot', thumbnail: '' }));
    expect(metadata.get('modelspec.description')).toMatch(
      /^Imported from mapper-steps-250\.pt and learned_embeds-steps-250\.bin, which names "CompVis.*was not checked\.$/,
    );
    expect(JSON.parse(metadata.get('neti.imported')!)).toMatchObject({ format: 'official-neti' });
  });

  it.each(['diffusers.bin', 'diffusers.safetensors', 'webui.pt', 'legacy.pt', 'kohya.safetensors'])(
    'reads a textual inversion: %s',
    async (name) => {
      const open = base(16, 128);
      const concept = await readConcept(await importFixtures([name], open), open);
      expect(concept.state.get('vectors')).toEqual(tensor('word.safetensors', 'vector'));
      expect(concept.config).toMatchObject({ network: false, space: false, layers: 16, contextWidth: 128 });
      const named = { 'legacy.pt': 'legacy', 'kohya.safetensors': 'kohya' };
      expect(concept.info.name).toBe(Object.entries(named).find(([key]) => key === name)?.[1] ?? 'cat-toy');
      expect(concept.info.step).toBe(name === 'webui.pt' ? 1500 : 0);
      expect(concept.info.imported?.base).toBe(name === 'webui.pt' ? 'sd-v1-4' : null);
    },
  );

  it.each([
    ['three.pt', 3],
    ['three.safetensors', 3],
    ['four.safetensors', 4],
  ])('reads a textual inversion of several vectors: %s', async (name, vectors) => {
    const open = base(16, 128);
    const { config, state, info } = await readConcept(await importFixtures([name], open), open);
    expect(config).toMatchObject({ network: false, space: false, vectors });
    expect(info.word).toEqual({ vectors, plain: true, hidden: MAPPER_DEFAULTS.hidden });
    const found = state.get('vectors')!;
    const file = name.startsWith('three') ? 'three.safetensors' : name;
    const stored = tensor(file, vectors === 3 ? '<cat-toy>' : 'emb_params');
    const table = stored.map((_, i) => stored[(i % vectors) * 128 + Math.floor(i / vectors)]!);
    expect(found).toEqual(table);
  });

  it('refuses a word whose few bytes claim to be many vectors, before any is made', async () => {
    const writer = new TorchWriter();
    const [storage] = writer.tensor({ shape: [1], values: Float32Array.of(1) }).args.items;
    const [shape, strides] = [new PickledTuple([100_000, 128]), new PickledTuple([0, 0])];
    const args = new PickledTuple([storage!, 0, shape, strides, false, null]);
    const claimed = new PickledObject('torch._utils._rebuild_tensor_v2', args);
    const bytes = new Uint8Array(writer.write(new Map([['<cat-toy>', claimed]])));
    expect(bytes.length).toBeLessThan(10_000);
    await expect(importConcepts([{ name: 'a.pt', bytes }], base(16, 128), CREATED)).rejects.toMatchObject({
      code: 'concept.vectors',
      message: expect.stringContaining('100000 word vectors') as string,
    });
  });

  it.each([
    [75, 'read'],
    [76, 'concept.vectors'],
  ])('a word of %d vectors: %s', async (vectors, outcome) => {
    const values = new Float32Array(vectors * 4).fill(0.1);
    const bytes = writeSafetensors(new Map([['<cat-toy>', { shape: [vectors, 4], values }]]), new Map());
    for (const open of [base(2, 4), base(2, 4, 1000)]) {
      const found = await importConcepts([{ name: 'cat.safetensors', bytes }], open, CREATED)
        .then(([file]) => readConcept(file!, open))
        .then(
          () => 'read',
          (error: unknown) => (error as AppError).code,
        );
      expect(found).toBe(outcome);
    }
  });

  it.each([
    [
      'an official mapper of other width',
      ['mapper-steps-250.pt'],
      base(4, 128),
      'concept.width',
      /12 numbers and 4.*"narrow" has 128/,
    ],
    [
      'an official mapper of other layers',
      ['mapper-final.pt'],
      base(9, 12),
      'concept.width',
      /16 cross-attention layers.*9 layers/,
    ],
    ['a word of other width', ['webui.pt'], base(16, 768), 'concept.width', /128 numbers.*"sd-v1-4".*768/],
    [
      'more vectors than a prompt has room for',
      ['four.safetensors'],
      base(16, 128, 5),
      'concept.vectors',
      /4 word vectors.*have room for 3/,
    ],
    ['a word for SDXL', ['sdxl.safetensors'], base(16, 768), 'inversion.unsupported', /XL/],
    [
      'the embedding of another concept',
      ['mapper-steps-250.pt', 'webui.pt'],
      base(4, 12),
      'official.partner',
      /"<colorful-teapot>"/,
    ],
    [
      'two files without a mapper',
      ['webui.pt', 'diffusers.bin'],
      base(4, 12),
      'official.corrupt',
      /no mapper/,
    ],
  ] as const)('refuses %s', async (_, names, open, code, message) => {
    const refused = importFixtures(names, open);
    await expect(refused).rejects.toMatchObject({ code });
    await expect(refused).rejects.toThrow(message);
  });

  it('says which family a word of 768 numbers is for, and which model is open', async () => {
    const values = new Float32Array(768).fill(0.1);
    const bytes = writeSafetensors(new Map([['<cat-toy>', { shape: [1, 768], values }]]), new Map());
    await expect(
      importConcepts([{ name: 'cat.safetensors', bytes }], base(16, 128), CREATED),
    ).rejects.toThrow(
      'word vectors of 768 numbers, as Stable Diffusion 1.x has; the open model "narrow" has 128 numbers and 16 layers',
    );
  });

  it('refuses a mapper whose few bytes claim to be large tensors, before any is made', async () => {
    const { bytes } = fixture('mapper-steps-250.pt');
    const cfg = readTorchFile(bytes, new Set([...TENSOR_GLOBALS, POSITIONAL_ENCODER])).value;
    const number = new TorchWriter();
    const claimed = (...shape: number[]) => {
      const [storage] = number.tensor({ shape: [1], values: Float32Array.of(1) }).args.items;
      const strides = new PickledTuple(shape.map(() => 0));
      const args = [storage!, 0, new PickledTuple(shape), strides, false, null];
      return new PickledObject('torch._utils._rebuild_tensor_v2', new PickledTuple(args));
    };
    const [hidden, anchors, width] = [4096, 8, 24];
    const state = new Map<Pickled, Pickled>([
      ['input_layer.weight', claimed(anchors, 32)],
      ['input_layer.bias', claimed(anchors)],
      ['net.1.weight', claimed(hidden, anchors)],
      ...['net.1.bias', 'net.2.weight', 'net.2.bias'].map((name) => [name, claimed(hidden)] as const),
      ['net.4.weight', claimed(hidden, hidden)],
      ...['net.4.bias', 'net.5.weight', 'net.5.bias'].map((name) => [name, claimed(hidden)] as const),
      ['output_layer.0.weight', claimed(width, hidden)],
      ['output_layer.0.bias', claimed(width)],
    ]);
    const encoder = new PickledObject(
      POSITIONAL_ENCODER,
      new PickledTuple([]),
      true,
      new Map([['w', claimed(16, 2)]]),
    );
    const bomb = number.write(
      new Map<Pickled, Pickled>([
        ['state_dict', state],
        ['cfg', cfg instanceof Map ? cfg.get('cfg')! : null],
        ['encoder', encoder],
      ]),
    );
    expect(bomb.length).toBeLessThan(10_000);
    const refused = importConcepts([{ name: 'mapper-final.pt', bytes: bomb }], base(4, 12), CREATED);
    await expect(refused).rejects.toThrow(/more than any concept/);
  });

  it('refuses a checkpoint that would run a program, by the name of what it would run', async () => {
    const text = new TextDecoder('latin1').decode(fixture('mapper-steps-250.pt').bytes);
    const evil = text.replace(
      'cmodels.positional_encoding\nNeTIPositionalEncoding\n',
      'cos.path.abcdefghijklmnopqr\nsystem_anything_at_all\n',
    );
    const bytes = Uint8Array.from(evil, (letter) => letter.charCodeAt(0));
    expect(evil).not.toBe(text);
    const refused = importConcepts([{ name: 'mapper-final.pt', bytes }], base(4, 12), CREATED);
    await expect(refused).rejects.toMatchObject({ code: 'pickle.refused' });
    await expect(refused).rejects.toThrow(/os\.path/);
  });

  it('returns a concept file of ours as it is', async () => {
    const open = base(4, 12);
    const own = await importFixtures(['mapper-steps-250.pt'], open);
    expect(await importConcepts([{ name: 'a.pt', bytes: own }], open, CREATED)).toEqual([own]);
  });
});

/** The first half and the bypass of one row have the norm together. */
function tensorOfEmbeds(concept: Concept): Float32Array {
  return outputs(concept, 'steps-250', undefined).subarray(0, 24);
}
