/** Maps of a concept file on the micro model: their shape, whose axes they have, and the words near a place. */
import { expect, it } from 'vitest';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { TrainingRun } from '../neti/run.ts';
import { openMicroBase } from '../neti/testing/microBase.ts';
import type { BaseModel } from './baseModel.ts';
import { Painter } from './painter.ts';
import { SpaceTimeReader } from './spaceTimeReader.ts';

const run = await openMicroBase();
const { pipeline, bridge } = run;
const size = pipeline.shape.latent.reduce((product, each) => product * each, 1);
const moments = { mean: new Float32Array(size), logvar: new Float32Array(size) };

async function learned(seed: number) {
  const learning = await TrainingRun.begin(run, {
    settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2, seed },
    category: 'a',
    pictures: [{ straight: moments, mirrored: null }],
    templates: ['a {}'],
  });
  const label = {
    name: 'thing',
    kind: 'object',
    created: '2026-01-01T00:00:00.000Z',
    thumbnail: '',
  } as const;
  return { key: `${seed}`, file: new Blob([await learning.save(label)]) };
}

const [one, other] = [await learned(1), await learned(2)];
const base = { ...run.identity, words: { words: null } } as BaseModel;
const reader = new SpaceTimeReader(base, pipeline, bridge, new Painter(base, pipeline, bridge));

it('has a place for every timestep and layer, and the layers’ sizes', async () => {
  const map = await reader.map({ concept: one, axesOf: one });
  const places = 20 * pipeline.shape.layers;
  expect([map.components.length, map.norms.length, map.distances?.length]).toEqual([
    2 * places,
    places,
    places,
  ]);
  expect(map.sides.map((side) => side ** 2)).toEqual(pipeline.shape.positions);
  expect(map.category).toBe('a');
});

it('of one training can have the axes of another of its files', async () => {
  const own = await reader.map({ concept: other, axesOf: other });
  const shared = await reader.map({ concept: other, axesOf: one });
  const { shares } = await reader.map({ concept: one, axesOf: one });
  expect(shared.shares).toEqual(shares);
  expect(shared.components).not.toEqual(own.components);
  expect(shared.norms).toEqual(own.norms);
});

it('finds the words whose own embeddings a place is nearest to', async () => {
  const near = await reader.nearest({ concept: one, timestep: 500, layer: 0 });
  expect(near.length).toBeGreaterThan(0);
  const cosines = near.map(({ cosine }) => cosine);
  expect(cosines).toEqual(cosines.toSorted((a, b) => b - a));
  expect(near.every(({ word }) => pipeline.tokenizer.wholeWords().has(word))).toBe(true);
  await expect(reader.nearest({ concept: one, timestep: 500, layer: pipeline.shape.layers })).rejects.toThrow(
    'Expected a layer from 1',
  );
});
