/** The native runtime stands in for the page's in the evaluation: the same run on the shipped base must learn alike on both. */
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { Pipeline } from '../diffusion/pipeline.ts';
import { relativeError } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { createBridge } from '../neti/bridge.ts';
import { TrainingRun } from '../neti/run.ts';
import { Runtime } from '../ort/runtime.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { nativeRuntime } from './nativeRuntime.ts';

const base = join(import.meta.dirname, '../../models/sticker-world');
const STEPS = 10;

async function lossCurve(runtime: Runtime): Promise<Float32Array> {
  const pipeline = await Pipeline.load(runtime, openFolder(base));
  const size = pipeline.shape.latent.reduce((product, side) => product * side, 1);
  const mean = new Random(1).fillNormal(new Float32Array(size));
  const run = await TrainingRun.begin(
    { pipeline, bridge: createBridge(runtime), identity: { id: 'base', hash: 'base' }, architecture: 'base' },
    {
      settings: { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize: 2 },
      category: 'animal',
      pictures: [{ straight: { mean, logvar: new Float32Array(size).fill(-8) }, mirrored: null }],
      templates: ['a photo of a {}'],
    },
  );
  for (let i = 0; i < STEPS; i++) await run.next();
  run.release();
  return Float32Array.from(run.losses);
}

it('ten steps on the native build follow the loss curve of WebAssembly', async () => {
  ort.env.wasm.numThreads = 1;
  const page = await lossCurve(new Runtime({ ort, provider: 'wasm' }));
  expect(relativeError(await lossCurve(nativeRuntime()), page)).toBeLessThan(1e-4);
});
