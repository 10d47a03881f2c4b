/** WebGPU (on a software adapter here) computes the same training step as WebAssembly. */
import { expect, test } from '@playwright/test';
import { relativeError } from '../src/lib/numbers.ts';
import type { TrainSteps } from './pages/trainingStep.ts';
import { testPage } from './steps.ts';

test('a training step of the micro model: same numbers on WebGPU as on WebAssembly', async ({ page }) => {
  await page.goto(testPage('trainingStep'));
  await page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 60_000 });
  const run = (provider: 'wasm' | 'webgpu') =>
    page.evaluate((name) => (window as unknown as { trainSteps: TrainSteps }).trainSteps(name, 2), provider);
  const wasm = await run('wasm');
  const webgpu = await run('webgpu');
  expect(webgpu.complaints).toEqual([]);
  expect(webgpu.leaked).toBe(0);
  expect(relativeError(webgpu.losses, wasm.losses)).toBeLessThan(1e-3);
  for (const [name, expected] of Object.entries(wasm.state))
    expect(relativeError(webgpu.state[name]!, expected), name).toBeLessThan(1e-3);
});
