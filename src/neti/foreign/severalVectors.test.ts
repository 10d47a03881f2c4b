/**
 * A textual inversion of three vectors against diffusers (fixtures/make_several.py): what the text encoder makes of a prompt with
 * it, for every layer and timestep, and the gradient of each vector; then two further training steps of it.
 */
import { describe, expect, it } from 'vitest';
import { Tape } from '../../gpu/tape.ts';
import { relativeError } from '../../lib/numbers.ts';
import { Random } from '../../lib/random.ts';
import { floats } from '../../ort/runtime.ts';
import { conceptRows, createBridge } from '../bridge.ts';
import { readConcept } from '../conceptFile.ts';
import { conceptContexts } from '../contexts.ts';
import { Mapper } from '../mapper.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../baseDefaults.ts';
import { Trainer } from '../trainer.ts';
import { base, importFixtures, tensor } from '../testing/foreignFixtures.ts';
import { openMicro } from '../testing/microBase.ts';

const TOLERANCE = 1e-5;
const golden = (name: string) => tensor('goldens-three.safetensors', name);

const pipeline = await openMicro();
const { runtime, shape } = pipeline;
const { layers, tokens, contextWidth, latent } = shape;

const bridge = createBridge(runtime);
const open = base(layers, contextWidth, tokens);
const { config, state } = await readConcept(await importFixtures(['three-micro.safetensors'], open), open);
const newMapper = () => new Mapper(bridge.backend, config, state);
const row = pipeline.tokenizer.encode('a {} in red', config.vectors);

describe('a concept of three vectors', () => {
  it('has the contexts of diffusers in every layer and timestep, and truncation leaves them', async () => {
    const timesteps = [981, 1];
    for (const truncation of [1, 128]) {
      const contexts = await conceptContexts(pipeline, bridge, {
        row,
        concepts: [{ mapper: newMapper(), truncation }],
        timesteps,
      });
      const size = tokens * contextWidth;
      for (const { keys, values } of timesteps.map((_, index) => contexts(index)))
        for (const layer of Array.from({ length: layers }, (_, i) => i))
          for (const all of [keys, values]) {
            const own = all.subarray(layer * size, (layer + 1) * size);
            expect(relativeError(own, golden('contexts'))).toBeLessThanOrEqual(TOLERANCE);
          }
    }
  });

  it("has PyTorch's gradient in each of its vectors", async () => {
    const tape = new Tape(bridge.backend);
    const concept = conceptRows(bridge, tape, newMapper().forward(tape, [500], [0]), 1);
    const shape = [1, tokens, contextWidth];
    const upstream = { keys: golden('upstream'), values: new Float32Array(tokens * contextWidth) };
    const pass = await pipeline.beginText([row], concept);
    const { embedding } = await pipeline.encodeTextGradient(pass, {
      keys: runtime.float(upstream.keys, shape),
      values: runtime.float(upstream.values, shape),
    });
    expect(embedding.dims).toEqual([1, 3, contextWidth]);
    expect(relativeError(await floats(embedding), golden('gradient'))).toBeLessThanOrEqual(TOLERANCE);
    tape.dispose();
  });

  it('is not read with a prompt that has places for another number of vectors', async () => {
    const contexts = conceptContexts(pipeline, bridge, {
      row: pipeline.tokenizer.encode('a {} in red'),
      concepts: [{ mapper: newMapper(), truncation: 1 }],
      timesteps: [1],
    });
    await expect(contexts).rejects.toMatchObject({ code: 'prompt.vectors' });
  });

  it('is trained further, each vector by itself', async () => {
    const mapper = newMapper();
    const size = latent[0] * latent[1] * latent[2];
    const mean = new Random(2).fillNormal(new Float32Array(size));
    const trainer = new Trainer({
      pipeline,
      bridge,
      mapper,
      templates: ['a {}', 'my {} here'],
      random: new Random(4),
      pictures: [{ straight: { mean, logvar: new Float32Array(size).fill(-6) }, mirrored: null }],
      settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2 },
    });
    for (let step = 0; step < 2; step++) expect((await trainer.step()).loss).toBeGreaterThan(0);
    const trained = (await mapper.state()).get('vectors')!;
    expect(trained.every(Number.isFinite)).toBe(true);
    const moved = Array.from({ length: 3 }, (_, v) =>
      trained.filter((value, i) => i % 3 === v && value !== state.get('vectors')![i]),
    );
    for (const each of moved) expect(each.length).toBe(contextWidth);
  });
});
