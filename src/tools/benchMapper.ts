/**
 * Part of `npm run bench`: the mapper's training step against jax-js and TensorFlow.js, in one tab of headless Chromium and on the same work: on WebGPU
 * (without a graphics card, SwiftShader) and on WebAssembly with one thread. Medians of interleaved repeats; compare the ratios.
 */
import { chromium } from '@playwright/test';
import { median } from 'simple-statistics';
import { createServer } from 'vite';
import type { MapperRace, RaceResult } from '../../e2e/pages/mapperRace.ts';
import { browserLaunch } from './browser.ts';

/** What counts as the same result: relative error of all parameters after three steps. */
const TOLERANCE = 3e-4;

/** Times of all contenders, ours first, on each provider. */
export async function benchMapper(repeats: number): Promise<Record<'webgpu' | 'wasm', RaceResult[]>> {
  const server = await createServer({
    server: { port: 4181 },
    logLevel: 'warn',
    // Found at once, or the page would be loaded anew when it imports them.
    optimizeDeps: {
      include: [
        '@jax-js/jax',
        '@tensorflow/tfjs-core',
        '@tensorflow/tfjs-core/dist/register_all_gradients.js',
        '@tensorflow/tfjs-backend-wasm',
        '@tensorflow/tfjs-backend-webgpu',
      ],
    },
  });
  await server.listen();
  const browser = await chromium.launch(browserLaunch());
  try {
    const page = await browser.newPage();
    await page.goto(new URL('e2e/pages/mapperRace.html', server.resolvedUrls!.local[0]).href);
    await page.locator('html[data-ready]').waitFor({ state: 'attached', timeout: 120_000 });
    const race = (provider: 'webgpu' | 'wasm') =>
      page.evaluate(
        ([device, times]) => (window as unknown as { mapperRace: MapperRace }).mapperRace.race(device, times),
        [provider, repeats] as const,
      );
    return { webgpu: await race('webgpu'), wasm: await race('wasm') };
  } finally {
    await browser.close();
    await server.close();
  }
}

/** Lines for a person; throws when a contender computed something else. */
export function raceLines(results: readonly RaceResult[]): string[] {
  const own = median([...results[0]!.times]);
  return results.map(({ name, times, error }) => {
    if (!(error <= TOLERANCE)) throw new Error(`${name} differs by ${error} from ours: not the same work.`);
    const time = median([...times]);
    const ratio = time === own ? '' : `  ours ÷ it ${(own / time).toFixed(2)}`;
    return `  ${name.padEnd(16)} ${time.toFixed(1).padStart(7)} ms  difference ${error.toExponential(1)}${ratio}`;
  });
}
