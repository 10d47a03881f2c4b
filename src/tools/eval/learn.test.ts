/** The evaluation learns as the page does: the same pictures, settings and seed come to the same losses. */
import { encode } from 'fast-png';
import { expect, it, vi } from 'vitest';
import { CpuBackend } from '../../gpu/cpuBackend.ts';
import { Mutex } from '../../lib/mutex.ts';
import { Random } from '../../lib/random.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../../neti/baseDefaults.ts';
import { readConcept } from '../../neti/conceptFile.ts';
import { createMapper } from '../../neti/mapper.ts';
import { stateShapes } from '../../neti/mapperConfig.ts';
import { readStartingMapper } from '../../neti/startingMapper.ts';
import { microIdentity, openMicroBase } from '../../neti/testing/microBase.ts';
import { opening, startingFile } from '../../neti/testing/startingFile.ts';
import { variantConfig } from '../../neti/variants.ts';
import { PictureEncoder } from '../../worker/pictureEncoder.ts';
import type { Studio } from '../../worker/studio.ts';
import { trainConcept } from '../../worker/training.ts';
import { beginRun } from './learn.ts';
import { study } from './study.ts';

// Node has no canvas; pictures that have the model's size need none.
vi.mock('../../pictures/scale.ts', () => ({
  toSquare: (picture: unknown) => Promise.resolve(picture),
  encodeThumbnail: () => Promise.resolve(''),
}));

const { pipeline, bridge } = await openMicroBase();
const { resolution: side, layers, contextWidth } = pipeline.shape;
const templates = ['a {}', '{} in b'];
const steps = 3;
const learned = variantConfig('neti', layers, new Float32Array(contextWidth).fill(0.1));
const state = await createMapper(new CpuBackend(), learned, new Random(9)).state();
const open = opening(startingFile(state, stateShapes(learned)));

function noise(seed: number): Uint8ClampedArray<ArrayBuffer> {
  const values = new Random(seed).fillUniform(new Float32Array(4 * side * side), 0, 255);
  return Uint8ClampedArray.from(values, (value, i) => (i % 4 === 3 ? 255 : value));
}

const pictures = [1, 2].map((seed) => ({ width: side, height: side, data: noise(seed) }));
const pngs = pictures.map(({ width, height, data }) => encode({ width, height, data: new Uint8Array(data) }));

it.each([
  { horizontalFlip: true, variant: 'neti' },
  { horizontalFlip: false, variant: 'neti', start: 'official' },
  { horizontalFlip: true, variant: 'xti' },
] as const)('comes to the losses of the page with %o', async (changed) => {
  const settings = {
    ...trainSettingsOn(OFFICIAL_DEFAULTS),
    ...changed,
    batchSize: 2,
    previewEvery: 0,
    steps,
  };
  const studio = {
    pipeline,
    bridge,
    base: { ...microIdentity, open, keptId: null, words: { templates: { object: templates, style: [] } } },
    encoder: new PictureEncoder(pipeline),
    mutex: new Mutex(),
  } as unknown as Studio;
  const request = { name: 'thing', category: 'a', kind: 'object', pictures } as const;
  const seeded = { ...settings, seed: study.trainingSeed };
  const { signal } = new AbortController();
  const page = await trainConcept(studio, { ...request, settings: seeded }, signal, () => undefined);

  const bench = {
    pipeline,
    templates,
    base: microIdentity,
    startingMapper: await readStartingMapper(open),
    startHash: null,
    out: '',
  };
  const concept = { folder: 'thing', name: 'thing', category: 'a', pictures: pngs, prompt: null };
  const run = await beginRun(bench, bridge, { name: 'cell', settings, checkpoints: [steps] }, concept);
  for (let step = 0; step < steps; step++) await run.next();
  expect(run.losses).toEqual(page.losses);
  const { training } = await readConcept(page.concept, microIdentity);
  const isOfficial = 'start' in changed || changed.variant === 'xti';
  expect(training.start).toBe(isOfficial ? 'official' : 'starting-mapper');
  run.release();
});
