/** Mappers of other widths than the studio's own, through the page: the slider goes to their last hidden unit. */
import { expect, type Page } from '@playwright/test';
import { readFile } from 'node:fs/promises';
import { CpuBackend } from '../src/gpu/cpuBackend.ts';
import { manifestSchema } from '../src/lib/manifest.ts';
import { Random } from '../src/lib/random.ts';
import { writeConcept } from '../src/neti/conceptFile.ts';
import { createMapper } from '../src/neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../src/neti/mapperConfig.ts';
import { concepts, generateOne, openStudio, results, type UploadFile } from './steps.ts';
import { test } from './visited.ts';

/** A concept of random weights for the shipped base, small but for its hidden units. */
async function conceptOf(hidden: number): Promise<UploadFile> {
  const manifest = manifestSchema.parse(JSON.parse(await readFile('models/manifest.json', 'utf8')));
  const base = manifest.models[0]!;
  const config = {
    ...MAPPER_DEFAULTS,
    layers: 16,
    contextWidth: 128,
    normScale: 0.4,
    hidden,
    timeAnchors: 1,
    fourierFeatures: 16,
  };
  const file = await writeConcept({
    config,
    state: await createMapper(new CpuBackend(), config, new Random(hidden)).state(),
    info: {
      name: `of ${hidden} units`,
      category: 'toy',
      kind: 'object',
      step: 1,
      baseId: base.id,
      baseHash: base.hash,
      created: '2026-01-01T00:00:00.000Z',
      thumbnail: '',
    },
    training: { seed: 0, learningRate: 8e-3, losses: [1] },
    resolution: base.resolution,
    predictionType: 'epsilon',
  });
  return { name: `${hidden}.safetensors`, mimeType: '', buffer: Buffer.from(file) };
}

async function expectUnits(page: Page, value: number, most: number): Promise<void> {
  const slider = page.getByRole('slider', { name: 'Truncation' });
  await expect(slider).toHaveAttribute('max', `${most}`);
  await expect(slider).toHaveAttribute('aria-valuetext', new RegExp(`^${value} of ${most}\\. `));
}

test('concepts of 64 and of 256 hidden units are drawn whole, and as little of them as one unit', async ({
  page,
}) => {
  await openStudio(page);
  await page.getByRole('button', { name: 'Steps, guidance, sampler' }).click();
  await page.getByLabel('Sampling steps').fill('2');
  const slider = page.getByRole('slider', { name: 'Truncation' });
  for (const hidden of [64, 256]) {
    await page.getByLabel('Import concept').setInputFiles(await conceptOf(hidden));
    await expect(concepts(page)).toContainText(`of ${hidden} units`);
    const prompt = `A photo of {} on a beach`;
    await generateOne(page, prompt, hidden);
    const drawn = (kept: number) => `${prompt} (of ${hidden} units, truncation ${kept})`;
    await expect(
      results(page)
        .getByRole('img', { name: drawn(hidden) })
        .first(),
    ).toBeVisible();
    await expectUnits(page, hidden, hidden);
    await slider.press('Home');
    await expectUnits(page, 1, hidden);
    await expect(
      results(page)
        .getByRole('img', { name: drawn(1) })
        .first(),
    ).toBeVisible({ timeout: 60_000 });
    await slider.press('End');
    await expectUnits(page, hidden, hidden);
  }
});
