import { describe, expect, it } from 'vitest';
import type { PreflightFacts } from './facts.ts';
import { planFromFolder } from './folder.ts';
import { microFolder } from './microFolder.ts';
import { makePlan } from './plan.ts';
import { plannedEstimates } from './plannedMemory.ts';
import { preflight } from './preflight.ts';

const facts: PreflightFacts = {
  gpu: null,
  deviceMemory: null,
  space: { quota: 1e9, usage: 0, persistent: true },
  crossOriginIsolated: true,
  threads: 2,
};

describe('the plan of a folder', () => {
  it('counts each weight in the precision that is computed in', async () => {
    const plan = await planFromFolder(await microFolder());
    const [full, ...none] = (await plannedEstimates(plan, false))!;
    const [half] = (await plannedEstimates(plan, true))!;
    expect(none).toEqual([]);
    expect([full!.precision, half!.precision]).toEqual(['float32', 'float16']);
    // The files hold the graphs too, which are most of the micro model: weights are less than its bytes at 4 each.
    expect(full!.train.weightBytes).toBeLessThan(2 * plan.totalBytes);
    expect(half!.train.weightBytes).toBeLessThan(full!.train.weightBytes);
    expect(half!.train.activationBytes).toBeLessThan(full!.train.activationBytes);
  });

  it('is told from rules of thumb in the verdict', async () => {
    const plan = await planFromFolder(await microFolder());
    const { draw, train } = preflight(plan, facts, (await plannedEstimates(plan, false))!);
    expect(train.reasons[0]).toMatch(/^Training needs [\d.]+ MB of memory, as planned from its graph\.$/);
    expect(draw.reasons[0]).toMatch(
      /^Drawing needs about .* by a rule of thumb from the sizes of the files\.$/,
    );
  });

  it('refuses before anything is copied what cannot be compiled', async () => {
    const files = await microFolder();
    const text = files.find(({ path }) => path.endsWith('text_encoder/model.onnx'))!;
    const swapped = files.map((each) =>
      each.path.endsWith('unet/model.onnx') ? { ...each, file: text.file } : each,
    );
    const planning = plannedEstimates(await planFromFolder(swapped), false);
    await expect(planning).rejects.toMatchObject({ code: expect.stringMatching(/^onnx\//) as unknown });
  });

  it('is not made of files that must be fetched first', async () => {
    const plan = await planFromFolder(await microFolder());
    const remote = plan.files.map((file) => ({ ...file, from: 'https://example.org/' }));
    expect(await plannedEstimates(makePlan({ ...plan, files: remote }), false)).toBeNull();
  });
});
