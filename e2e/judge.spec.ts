/** WebGPU (on a software adapter here) scores pictures as WebAssembly does. */
import { expect, test } from '@playwright/test';
import type { JudgePictures } from './pages/judge.ts';
import { testPage } from './steps.ts';

test('the judge: same scores on WebGPU as on WebAssembly', async ({ page }) => {
  await page.goto(testPage('judge'));
  await page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 60_000 });
  const run = (provider: 'wasm' | 'webgpu') =>
    page.evaluate(
      (name) => (window as unknown as { judgePictures: JudgePictures }).judgePictures(name),
      provider,
    );
  const wasm = await run('wasm');
  const webgpu = await run('webgpu');
  expect(webgpu.complaints).toEqual([]);
  wasm.scores.forEach(({ likeness, prompt }, i) => {
    expect(webgpu.scores[i]!.likeness).toBeCloseTo(likeness!, 3);
    expect(webgpu.scores[i]!.prompt).toBeCloseTo(prompt, 3);
  });
});
