/** A training run from its settings to its file, on the micro model: what the page and the evaluation share. */
import { describe, expect, it } from 'vitest';
import { Random } from '../lib/random.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from './baseDefaults.ts';
import { readConcept } from './conceptFile.ts';
import { encodePicture, TrainingRun, type RunStart } from './run.ts';
import { microIdentity as identity, openMicroBase } from './testing/microBase.ts';

const base = await openMicroBase();
const { pipeline } = base;
const LABEL = { name: 'thing', kind: 'object', created: '2026-01-01T00:00:00.000Z', thumbnail: '' } as const;

const side = pipeline.shape.resolution;
const planes = new Random(5).fillUniform(new Float32Array(3 * side * side), -1, 1);
const start: RunStart = {
  settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2, seed: 7 },
  category: 'a',
  pictures: [await encodePicture((one) => pipeline.encodeImages(one, 1), planes, side, true)],
  templates: ['a {}'],
};

async function losses(run: TrainingRun, steps: number): Promise<readonly number[]> {
  for (let i = 0; i < steps; i++) await run.next();
  return [...run.losses];
}

describe('a training run', () => {
  it('comes to the same losses for the same seed, and to others for another', async () => {
    const [first, second] = [await TrainingRun.begin(base, start), await TrainingRun.begin(base, start)];
    const expected = await losses(first, 3);
    expect(await losses(second, 3)).toEqual(expected);
    const settings = { ...start.settings, seed: 8 };
    expect(await losses(await TrainingRun.begin(base, { ...start, settings }), 3)).not.toEqual(expected);
  });

  it.each(['textual-inversion', 'xti', 'time-only'] as const)('learns as %s by its name', async (variant) => {
    const run = await TrainingRun.begin(base, { ...start, settings: { ...start.settings, variant } });
    await run.next();
    const { config, info } = await readConcept(await run.save(LABEL), identity);
    expect(config.network).toBe(variant === 'time-only');
    expect(config.space).toBe(variant === 'xti');
    expect(info).toMatchObject({ name: 'thing', step: 1, baseId: 'micro' });
  });

  it('goes on from its file, its steps counted on', async () => {
    const run = await TrainingRun.begin(base, start);
    await losses(run, 2);
    const earlier = await readConcept(await run.save(LABEL, { withOptimizer: true }), identity);
    const further = await TrainingRun.begin(base, { ...start, earlier });
    await further.next();
    expect([further.startStep, further.step, further.losses.length]).toEqual([2, 3, 1]);
  });

  it.each([1, 2, 3])('cut short after %i steps, comes to the unbroken one bit for bit', async (cut) => {
    const whole = await TrainingRun.begin(base, start);
    const expected = await losses(whole, 5);
    const first = await TrainingRun.begin(base, start);
    const before = await losses(first, cut);
    const earlier = await readConcept(await first.save(LABEL, { withOptimizer: true }), identity);
    const rest = await TrainingRun.begin(base, { ...start, earlier, losses: before });
    expect([rest.startStep, rest.step]).toEqual([0, cut]);
    expect(await losses(rest, 5 - cut)).toEqual(expected);
    const files = await Promise.all([whole, rest].map((run) => run.save(LABEL, { withOptimizer: true })));
    expect(files[1]).toEqual(files[0]);
  });

  it('is refused when no template has room for the concept', async () => {
    const templates = [`a {} ${'a '.repeat(pipeline.shape.tokens)}`];
    await expect(TrainingRun.begin(base, { ...start, templates })).rejects.toMatchObject({
      code: 'training.request',
    });
  });
});
