/** The starting mapper of a base: reading it, which mappers it fits, and a training that begins with it. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { CpuBackend } from '../gpu/cpuBackend.ts';
import { halfToNumber, numberToHalf } from '../lib/half.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { layout } from '../lib/modelLayout.ts';
import { Random } from '../lib/random.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from './baseDefaults.ts';
import { readConcept } from './conceptFile.ts';
import { createMapper, type MapperState } from './mapper.ts';
import { stateShapes, type MapperConfig } from './mapperConfig.ts';
import { TrainingRun, type RunStart } from './run.ts';
import { readStartingMapper, startingState, type StartingMapper } from './startingMapper.ts';
import { microIdentity, openMicroBase } from './testing/microBase.ts';
import { opening, startingFile } from './testing/startingFile.ts';
import { variantConfig } from './variants.ts';

const base = await openMicroBase();
const { layers, contextWidth, latent } = base.pipeline.shape;
const sizes = { hidden: 32, fourierFeatures: 16 };
const config = { ...variantConfig('neti', layers, new Float32Array(contextWidth).fill(0.1)), ...sizes };
const state = await createMapper(new CpuBackend(), config, new Random(9)).state();

const fileOf = (mapper: MapperState, shapes = stateShapes(config)) => startingFile(mapper, shapes);
const start = (await readStartingMapper(opening(fileOf(state))))!;
const changed = (changes: Partial<MapperConfig>) => ({ ...config, ...changes });

describe('a starting mapper', () => {
  it('is read in half precision, its frequencies whole', () => {
    const read = startingState(start, config)!;
    expect([...read.keys()]).toEqual([...stateShapes(config).keys()]);
    const halved = (values: Float32Array) => values.map((value) => halfToNumber(numberToHalf(value)));
    for (const [name, values] of state)
      expect(read.get(name), name).toEqual(name === 'encoder.w' ? values : halved(values));
  });

  it('is none where the base has no such file, or some other program’s', async () => {
    expect(await readStartingMapper(opening(null))).toBeNull();
    expect(await readStartingMapper(opening('not safetensors'))).toBeNull();
  });

  it('says so when its file cannot be read', async () => {
    const broken = () => Promise.reject(new Error('disk'));
    await expect(readStartingMapper(broken)).rejects.toThrow('disk');
  });

  it.each([
    ['fewer hidden units', { hidden: 16 }],
    ['fewer frequencies', { fourierFeatures: 8 }],
    ['another width of embeddings', { contextWidth: contextWidth + 8 }],
    ['no bypass', { textualBypass: false }],
    ['other layers', { layers: layers + 1 }],
  ])('does not fit a mapper of %s', (_, changes) => {
    expect(startingState(start, changed(changes))).toBeNull();
  });

  it('does not fit with a tensor missing, of another order, or of no numbers', () => {
    const without = new Map([...start].filter(([name]) => name !== 'net.4.bias'));
    expect(startingState(without, config)).toBeNull();
    const turned = new Map(stateShapes(config)).set('net.1.weight', [10 * layers, 32]);
    const read = (file: Uint8Array<ArrayBuffer>) => readStartingMapper(opening(file));
    return Promise.all([
      read(fileOf(state, turned)).then((found) => expect(startingState(found!, config)).toBeNull()),
      read(fileOf(new Map(state).set('net.4.bias', new Float32Array(32).fill(NaN)))).then((found) =>
        expect(startingState(found!, config)).toBeNull(),
      ),
    ]);
  });
});

const size = latent.reduce((product, side) => product * side, 1);
const mean = new Random(5).fillNormal(new Float32Array(size));
const beginning: RunStart = {
  settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2, seed: 7 },
  category: 'a',
  pictures: [{ straight: { mean, logvar: new Float32Array(size).fill(-8) }, mirrored: null }],
  templates: ['a {}'],
  sizes,
};
const LABEL = { name: 'thing', kind: 'object', created: '2026-01-01T00:00:00.000Z', thumbnail: '' } as const;

async function begun(startingMapper: StartingMapper | null, changes: Partial<RunStart['settings']> = {}) {
  const settings = { ...beginning.settings, ...changes };
  const run = await TrainingRun.begin({ ...base, startingMapper }, { ...beginning, settings });
  const { state: tensors, training } = await readConcept(await run.save(LABEL), microIdentity);
  run.release();
  return { tensors, start: training.start };
}

describe('the one that ships', () => {
  const shipped = openFolder(fileURLToPath(new URL('../../models/sticker-world', import.meta.url)));

  it('fits what a training on the shipped base begins, within its size', async () => {
    const read = (await readStartingMapper(shipped))!;
    const whole = variantConfig('neti', 16, new Float32Array(128).fill(0.1));
    expect(startingState(read, whole)).not.toBeNull();
    expect((await shipped(layout.startingMapper)).size).toBeLessThan(1.2e6);
  });
});

describe('a training', () => {
  it('begins with it, whatever the seed, and says so', async () => {
    const first = await begun(start, { seed: 1 });
    expect(first.start).toBe('starting-mapper');
    expect(first.tensors).toEqual(startingState(start, config));
    expect((await begun(start, { seed: 2 })).tensors).toEqual(first.tensors);
  });

  it.each([
    ['the official start is asked for', start, { start: 'official' }],
    ['the base has none', null, {}],
    ['another variant learns', start, { variant: 'time-only' }],
  ] as const)('begins as the official implementation where %s', async (_, startingMapper, changes) => {
    const found = await begun(startingMapper, changes);
    expect(found.start).toBe('official');
    expect(found.tensors).toEqual((await begun(null, { ...changes, start: 'official' })).tensors);
  });

  it('cut short, comes to the unbroken one bit for bit and keeps the word of its start', async () => {
    const begin = (rest: Partial<RunStart> = {}) =>
      TrainingRun.begin({ ...base, startingMapper: start }, { ...beginning, ...rest });
    const keep = (run: TrainingRun) => run.save(LABEL, { withOptimizer: true });
    const [whole, cut] = [await begin(), await begin()];
    await whole.next();
    await whole.next();
    await cut.next();
    const earlier = await readConcept(await keep(cut), microIdentity);
    const rest = await begin({ earlier, losses: cut.losses });
    await rest.next();
    expect(await keep(rest)).toEqual(await keep(whole));
    expect((await readConcept(await keep(rest), microIdentity)).training.start).toBe('starting-mapper');
  });
});
