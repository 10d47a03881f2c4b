/** The native runtime stands in for the page's in the evaluation: on the shipped base both must learn alike. */
import { join } from 'node:path';
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { Pipeline } from '../diffusion/pipeline.ts';
import { relativeError } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import { officialDefaults, trainSettingsOn } from '../neti/baseDefaults.ts';
import { createBridge } from '../neti/bridge.ts';
import { createMapper } from '../neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { Trainer } from '../neti/trainer.ts';
import { Runtime } from '../ort/runtime.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { nativeRuntime } from './nativeRuntime.ts';

const base = join(import.meta.dirname, '../../models/sticker-world');
const steps = 10;

async function lossCurve(runtime: Runtime): Promise<Float32Array> {
  const pipeline = await Pipeline.load(runtime, openFolder(base));
  const bridge = createBridge(runtime);
  const { layers, contextWidth, latent } = pipeline.shape;
  const config = { ...MAPPER_DEFAULTS, layers, contextWidth, normScale: 1 };
  const size = latent[0] * latent[1] * latent[2];
  const mean = new Random(1).fillNormal(new Float32Array(size));
  const trainer = new Trainer({
    pipeline,
    bridge,
    mapper: createMapper(bridge.backend, config, new Random(2)),
    random: new Random(3),
    pictures: [{ straight: { mean, logvar: new Float32Array(size).fill(-8) }, mirrored: null }],
    templates: ['a photo of a {}'],
    settings: { ...trainSettingsOn(officialDefaults), batchSize: 2 },
  });
  const losses = new Float32Array(steps);
  for (let i = 0; i < steps; i++) losses[i] = (await trainer.step()).loss;
  return losses;
}

it('ten steps on the native build follow the loss curve of WebAssembly', async () => {
  ort.env.wasm.numThreads = 1;
  const page = await lossCurve(new Runtime({ ort, provider: 'wasm' }));
  expect(relativeError(await lossCurve(nativeRuntime()), page)).toBeLessThan(1e-4);
});
