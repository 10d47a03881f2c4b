/** What the painter reads and encodes, and what it need not again: concepts by their key, contexts by prompt and concept. */
import { describe, expect, it, vi } from 'vitest';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { TrainingRun } from '../neti/run.ts';
import { openMicroBase } from '../neti/testing/microBase.ts';
import type { Pipeline } from '../diffusion/pipeline.ts';
import type { BaseModel } from './baseModel.ts';
import { Painter } from './painter.ts';

const run = await openMicroBase();
const { pipeline, bridge, identity } = run;
const side = pipeline.shape.latent.reduce((product, size) => product * size, 1);
const picture = {
  straight: { mean: new Float32Array(side), logvar: new Float32Array(side) },
  mirrored: null,
};
const settings = { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2 };
const begin = (seed: number) =>
  TrainingRun.begin(run, {
    settings: { ...settings, seed },
    category: 'a',
    pictures: [picture],
    templates: ['a {}'],
  });
const saved = async (training: TrainingRun) =>
  new Blob([
    await training.save({
      name: 'thing',
      kind: 'object',
      created: '2026-01-01T00:00:00.000Z',
      thumbnail: '',
    }),
  ]);
const learning = await begin(0);
const [file, otherFile] = [await saved(learning), await saved(await begin(1))];

const request = {
  prompt: 'a {}',
  negativePrompt: '',
  steps: 2,
  guidanceScale: 2,
  truncation: 8,
  sampler: 'ddim',
  focus: null,
  seeds: [1],
  named: [],
  mixing: null,
} as const;
const unheard = () => undefined;
const signal = new AbortController().signal;

/** A painter, how often it has a prompt encoded with a concept, and how often it reads the concept's file. */
function watched() {
  const encoded = vi.spyOn(pipeline, 'encodeText').mockClear();
  const read = vi.spyOn(file, 'arrayBuffer').mockClear();
  return { painter: new Painter(identity as BaseModel, pipeline, bridge), encoded, read };
}

it('reads a concept once for its key, and encodes its prompt once for its settings', async () => {
  const { painter, encoded, read } = watched();
  const concept = { key: '1', file };
  const first = await painter.generate({ ...request, concept }, signal, unheard);
  const calls = encoded.mock.calls.length;
  const again = await painter.generate({ ...request, concept }, signal, unheard);
  expect(again.pictures).toEqual(first.pictures);
  expect([read.mock.calls.length, encoded.mock.calls.length]).toEqual([1, calls]);
  await painter.generate({ ...request, truncation: 16, concept }, signal, unheard);
  expect(encoded.mock.calls.length).toBeGreaterThan(calls);
  await painter.generate({ ...request, concept: { key: '2', file } }, signal, unheard);
  expect(read).toHaveBeenCalledTimes(2);
});

it('keeps no contexts of a concept that is still learning, and drops none for it', async () => {
  const { painter, encoded } = watched();
  await painter.generate({ ...request, concept: { key: '1', file } }, signal, unheard);
  const preview = () =>
    painter.paint(
      request,
      { concept: { key: null, mapper: learning.mapper, category: 'a' } },
      undefined,
      unheard,
    );
  const counts = [];
  for (let i = 0; i < 10; i++) {
    const before = encoded.mock.calls.length;
    await preview();
    counts.push(encoded.mock.calls.length - before);
  }
  expect(new Set(counts)).toEqual(new Set([1]));
  const before = encoded.mock.calls.length;
  await painter.generate({ ...request, concept: { key: '1', file } }, signal, unheard);
  expect(encoded.mock.calls.length).toBe(before);
});

it('draws a concept in focus everywhere as it draws it, and another picture where part of it is not', async () => {
  const { painter } = watched();
  const { layers } = pipeline.shape;
  const focus = { fromTimestep: 1000, toTimestep: 0, fromLayer: 0, toLayer: layers - 1 };
  const paint = async (changed: Partial<Parameters<Painter['generate']>[0]>) =>
    (await painter.generate({ ...request, concept: { key: '1', file }, ...changed }, signal, unheard))
      .pictures;
  const plain = await paint({});
  for (const outside of ['frozen', 'category'] as const) {
    expect(await paint({ focus: { ...focus, outside } })).toEqual(plain);
    expect(await paint({ focus: { ...focus, toTimestep: 900, outside } })).not.toEqual(plain);
  }
  await expect(paint({ focus: { ...focus, toLayer: layers, outside: 'frozen' } })).rejects.toThrow(
    `among the model's ${layers} layers`,
  );
});

it('draws one row after the other where the model is held to a budget, and the same picture', async () => {
  const { painter } = watched();
  const concept = { key: '1', file };
  const both = await painter.generate({ ...request, concept }, signal, unheard);
  const shape = { ...pipeline.shape, picturesAtOnce: 1 };
  const held = Object.create(pipeline, { shape: { value: shape } }) as Pipeline;
  const rows = vi.spyOn(held, 'denoise');
  const other = new Painter(identity as BaseModel, held, bridge);
  const alone = await other.generate({ ...request, concept }, signal, unheard);
  expect(rows.mock.calls.map(([{ timesteps }]) => timesteps.length)).toEqual([1, 1, 1, 1]);
  const [a, b] = [both, alone].map(({ pictures }) => pictures[0]!.data);
  expect(Math.max(...a!.map((x, i) => Math.abs(x - b![i]!)))).toBeLessThanOrEqual(1);
});

describe('concepts that are called by name', () => {
  const [one, other] = [
    { key: '1', file },
    { key: '2', file: otherFile },
  ];
  const { painter } = watched();
  const paint = async (changed: Partial<Parameters<Painter['generate']>[0]>) =>
    (await painter.generate({ ...request, concept: null, ...changed }, signal, unheard)).pictures;

  it('are drawn as the chosen one is, and two as one where they are the same', async () => {
    const bare = await paint({ prompt: 'a {}', concept: one });
    expect(await paint({ prompt: 'a {thing}', named: [one] })).toEqual(bare);
    const twice = await paint({ prompt: '{thing} by {thing}', named: [one, one] });
    expect(await paint({ prompt: '{thing} by {copy}', named: [one, { key: '3', file }] })).toEqual(twice);
    expect(await paint({ prompt: '{thing} by {}', named: [one], concept: one })).toEqual(twice);
    expect(await paint({ prompt: '{thing} by {other}', named: [one, other] })).not.toEqual(twice);
  });

  it('stay whole where the chosen one is mixed or has a part in focus', async () => {
    const both = { prompt: '{} by {other}', concept: one, named: [other] };
    const plain = await paint(both);
    const mixing = { appearance: other, start: 1 };
    expect(await paint({ ...both, mixing })).toEqual(plain);
    const mixed = await paint({ ...both, mixing: { ...mixing, start: 0 } });
    expect(mixed).not.toEqual(plain);
    expect(mixed).not.toEqual(await paint({ ...both, concept: other }));
    const { layers } = pipeline.shape;
    const whole = { fromTimestep: 1000, toTimestep: 0, fromLayer: 0, toLayer: layers - 1 };
    for (const outside of ['frozen', 'category'] as const) {
      expect(await paint({ ...both, focus: { ...whole, outside } })).toEqual(plain);
      expect(await paint({ ...both, focus: { ...whole, toTimestep: 900, outside } })).not.toEqual(plain);
    }
  });

  it('are as many as the prompt calls', async () => {
    const refused = expect.objectContaining({ code: 'prompt.name' });
    await expect(paint({ prompt: 'a {thing}' })).rejects.toThrow(refused);
    await expect(paint({ prompt: 'a {thing}', named: [one, other] })).rejects.toThrow(refused);
    await expect(paint({ prompt: '{a} {a} {a} {a}', named: [one, one, one, one] })).rejects.toThrow(/Keep 3/);
  });
});

it('tells where each word looks, in numbers that are shares, of the very picture', async () => {
  const { painter } = watched();
  const concept = { key: '1', file };
  const denoise = vi.spyOn(pipeline, 'denoiseWithAttention');
  const steps: number[] = [];
  const { side, words } = await painter.attention({ ...request, concept }, signal, ({ step }) => {
    steps.push(step);
  });
  expect(side).toBe(8);
  expect(words.map(({ text }) => text)).toEqual(['a', '{}']);
  for (const { map } of words) {
    expect(map).toHaveLength(64);
    expect(map.every((share) => share > 0 && share < 1)).toBe(true);
  }
  expect(steps).toEqual([1, 2]);
  const { answer } = await denoise.mock.results[0]!.value;
  const [inputs] = denoise.mock.calls[0]!;
  expect(await pipeline.denoise(inputs)).toEqual(answer);
});
