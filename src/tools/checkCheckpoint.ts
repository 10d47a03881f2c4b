/**
 * `npm run check-checkpoint -- DIR [--browser]`: opens the single file of Stable Diffusion 1.5's real size that
 * checkpoint/fixtures/make_full_size.py left in DIR, says in what time and memory, and compares its networks with PyTorch: in native
 * onnxruntime with a training step, or in Chromium.
 */
import { openAsBlob } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from '@playwright/test';
import type { InferenceSession } from 'onnxruntime-node';
import { createServer } from 'vite';
import type { FullSize } from '../../e2e/pages/fullSize.ts';
import { openFullSize, runDecoder, runText, runUnet } from '../checkpoint/testing/fullSize.ts';
import type { OpenFile } from '../lib/modelFiles.ts';
import { graphPath, layout, NETWORKS, preparedPath, type Network } from '../lib/modelLayout.ts';
import { relativeError } from '../lib/numbers.ts';
import { readSafetensors, toFloat32 } from '../lib/safetensors.ts';
import { nativeTensors, openNative } from '../onnx/testing/nativeGraph.ts';
import { browserLaunch } from './browser.ts';

const GOLDENS = 'goldens.safetensors';

const since = (start: number) => `${((performance.now() - start) / 1000).toFixed(2)} s`;

/** Graphs by path, and a folder in which onnxruntime finds their weights. */
async function compile(folder: string) {
  const before = process.memoryUsage().rss;
  let start = performance.now();
  const stage = (name: string) => {
    console.log(`${name} in ${since(start)}`);
    start = performance.now();
  };
  const { stock, graphs } = await openFullSize(await openAsBlob(join(folder, layout.checkpoint)), stage);
  const memory = (process.resourceUsage().maxRSS * 1024 - before) / 1e6;
  console.log(`${memory.toFixed(0)} MB at most`);
  return { graphs, home: await lay(folder, stock) };
}

async function lay(folder: string, stock: OpenFile): Promise<string> {
  const home = join(folder, 'run');
  await rm(home, { recursive: true, force: true });
  for (const part of NETWORKS) {
    await mkdir(join(home, part), { recursive: true });
    await link(join(folder, layout.checkpoint), join(home, part, layout.checkpoint));
    const graph = await stock(graphPath(part));
    await writeFile(join(home, graphPath(part)), new Uint8Array(await graph.arrayBuffer()));
  }
  return home;
}

async function checkNative(folder: string): Promise<void> {
  const { graphs, home } = await compile(folder);
  const { tensors } = readSafetensors(new Uint8Array(await readFile(join(folder, GOLDENS))));
  const compare = (name: string, found: Float32Array) => {
    console.log(`${name}: ${relativeError(found, toFloat32(tensors.get(name)!)).toExponential(1)}`);
  };
  const using = async <T>(part: Network, run: (session: InferenceSession) => Promise<T>): Promise<T> => {
    const session = await openNative(home, graphs.get(preparedPath(part))!);
    const found = await run(session);
    await session.release();
    return found;
  };
  compare('text', await using('text_encoder', (session) => runText(session, nativeTensors)));
  compare('pixels', await using('vae_decoder', (session) => runDecoder(session, nativeTensors)));
  const start = performance.now();
  const step = await using('unet', (session) => runUnet(session, nativeTensors, true));
  console.log(`a training step, with its session, took ${since(start)}, its loss is ${step.loss}`);
  compare('unet', step.unet);
  compare('gradient', step.gradient);
}

/** On a page of its own: what a network took from WebAssembly's memory is not given back. */
async function checkInBrowser(folder: string): Promise<void> {
  const server = await createServer({ server: { port: 4179 }, logLevel: 'warn' });
  await server.listen();
  const browser = await chromium.launch(browserLaunch());
  try {
    const address = new URL('e2e/pages/fullSize.html', server.resolvedUrls!.local[0]).href;
    for (const check of ['text', 'pixels', 'unet'] as const) {
      const page = await openPage(await browser.newPage(), address, folder);
      const run = (name: keyof FullSize) => (window as unknown as { fullSize: FullSize }).fullSize[name]();
      console.log(check, await page.evaluate(run, check));
      await page.close();
    }
  } finally {
    await browser.close();
    await server.close();
  }
}

async function openPage(page: Page, address: string, folder: string): Promise<Page> {
  page.setDefaultTimeout(0);
  await page.goto(address);
  await page.locator('html[data-ready]').waitFor({ state: 'attached' });
  await page.locator('input').setInputFiles([layout.checkpoint, GOLDENS].map((name) => join(folder, name)));
  return page;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { browser: { type: 'boolean', default: false } },
});
await (values.browser ? checkInBrowser : checkNative)(resolve(positionals[0] ?? '.'));
