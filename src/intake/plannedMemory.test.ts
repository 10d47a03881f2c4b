/** What the memory of a folder's training would be, planned from its own graphs. */
import { openAsBlob } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OFFICIAL_DEFAULTS } from '../neti/baseDefaults.ts';
import { planTraining } from '../onnx/model.ts';
import type { PreflightFacts } from './facts.ts';
import { planFromFolder } from './folder.ts';
import { microFolder } from './testing/microFolder.ts';
import { makePlan, type ModelPlan } from './plan.ts';
import { plannedEstimates } from './plannedMemory.ts';
import { preflight, type MemoryEstimate } from './preflight.ts';

const facts: PreflightFacts = {
  gpu: null,
  deviceMemory: null,
  space: { quota: 1e9, usage: 0, persistent: true },
  crossOriginIsolated: true,
  threads: 2,
};

const openMicro = (path: string) => openAsBlob(new URL(`../onnx/fixtures/micro/${path}`, import.meta.url));

const planned = (plan: ModelPlan, half = false) => plannedEstimates(plan, half, new AbortController().signal);

/** What training the micro model takes when its `defaults.json` asks for so many pictures a step. */
async function trainingAt(batchSize: number, totalBytes?: number) {
  const defaults = { ...OFFICIAL_DEFAULTS, batchSize };
  const file = new File([JSON.stringify(defaults)], 'defaults.json');
  const plan = await planFromFolder([...(await microFolder()), { path: 'micro/defaults.json', file }]);
  const [estimate] = (await planned({ ...plan, totalBytes: totalBytes ?? plan.totalBytes }))!;
  return estimate!.train;
}

describe('the plan of a folder', () => {
  it('counts each weight in the precision that is computed in', async () => {
    const plan = await planFromFolder(await microFolder());
    const [full, ...none] = (await planned(plan))!;
    const [half] = (await planned(plan, true))!;
    expect(none).toEqual([]);
    expect([full!.precision, half!.precision]).toEqual(['float32', 'float16']);
    // By the onnx package of Python: floats of the U-Net, and of the text encoder and the VAE.
    const [unet, others] = [72_520, 40_232];
    const { weightBytes } = await planTraining(openMicro, { precision: 'float32' }, 8);
    expect(full!.draw.weightBytes).toBe(weightBytes + 4 * others);
    expect(weightBytes).toBeGreaterThanOrEqual(4 * unet);
    const ofUnet = await planTraining(openMicro, { precision: 'float16' }, 8);
    expect(half!.train.weightBytes).toBe(ofUnet.weightBytes + 4 * others);
    expect(half!.train.weightBytes).toBeLessThan(full!.train.weightBytes);
    expect(half!.train.activationBytes).toBeLessThan(full!.train.activationBytes);
  });

  it('counts a whole step of a small model, and one picture of a large one', async () => {
    const [two, sixteen] = await Promise.all([trainingAt(2), trainingAt(16)]);
    expect(sixteen.activationBytes / two.activationBytes).toBeGreaterThan(7);
    expect(sixteen.largestBytes! / two.largestBytes!).toBe(8);
    expect(await trainingAt(2, 2e9)).toEqual(await trainingAt(16, 2e9));
    const plan = await planFromFolder(await microFolder());
    const [official] = (await planned(plan))!;
    expect(official!.train).toEqual(await trainingAt(8));
  });

  it('refuses no buffer that training does without', async () => {
    const plan = await planFromFolder(await microFolder());
    const [estimate] = (await planned(plan))!;
    const trainOn = (allowed: number) => {
      const limits = { maxBufferSize: allowed, maxStorageBufferBindingSize: allowed };
      const gpu = { name: 'Card', software: false, f16: false, ...limits };
      return preflight(plan, { ...facts, gpu }, [estimate!]).train.answer;
    };
    const { largestBytes } = await planTraining(openMicro, { precision: 'float32' }, 8);
    expect([trainOn(largestBytes), trainOn(largestBytes - 1)]).toEqual(['yes', 'no']);
  });

  it('can be cancelled between its graphs', async () => {
    const controller = new AbortController();
    const plan = await planFromFolder(await microFolder());
    const planning = plannedEstimates(plan, false, controller.signal);
    // As a message from the page does: it comes in while the worker waits.
    setTimeout(() => controller.abort());
    await expect(planning).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('is told from rules of thumb in the verdict', async () => {
    const plan = await planFromFolder(await microFolder());
    const { draw, train } = preflight(plan, facts, (await planned(plan))!);
    expect(train.reasons[0]).toMatch(/^Training needs [\d.]+ MB of memory, as planned from its graph\.$/);
    expect(draw.reasons[0]).toMatch(/^Drawing needs [\d.]+ (kB|MB) of memory, as planned from its graph\.$/);
    const rough = preflight(plan, facts);
    expect(rough.draw.reasons[0]).toMatch(
      /^Drawing needs about .* by a rule of thumb from the size of the model\.$/,
    );
  });

  it('takes less for drawing, which computes no gradients', async () => {
    const plan = await planFromFolder(await microFolder());
    const [{ draw, train }] = (await planned(plan)) as [MemoryEstimate];
    expect(draw.weightBytes).toBe(train.weightBytes);
    expect(draw.activationBytes).toBeLessThan(train.activationBytes / 4);
  });

  it('refuses before anything is copied what cannot be compiled', async () => {
    const files = await microFolder();
    const text = files.find(({ path }) => path.endsWith('text_encoder/model.onnx'))!;
    const swapped = files.map((each) =>
      each.path.endsWith('unet/model.onnx') ? { ...each, file: text.file } : each,
    );
    const planning = planned(await planFromFolder(swapped));
    await expect(planning).rejects.toMatchObject({ code: expect.stringMatching(/^onnx\./) as unknown });
  });

  it('is not made of files that must be fetched first', async () => {
    const plan = await planFromFolder(await microFolder());
    const remote = plan.files.map((file) => ({ ...file, from: 'https://example.org/' }));
    expect(await planned(makePlan({ ...plan, files: remote }))).toBeNull();
  });
});
