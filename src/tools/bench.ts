/**
 * `npm run bench [-- MODEL_DIR]`: what a training step of 8 pictures costs on WebAssembly with two threads, by part, what a
 * checkpoint takes, and what the backward pass adds to the U-Net; then the mapper's step beside other libraries, in a browser.
 * Medians of interleaved repeats in one run; compare ratios, not days.
 */
import { join, resolve } from 'node:path';
import * as ort from 'onnxruntime-web';
import { median } from 'simple-statistics';
import { Pipeline } from '../diffusion/pipeline.ts';
import { Random } from '../lib/random.ts';
import { createBridge } from '../neti/bridge.ts';
import { createMapper } from '../neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import type { StepTimes } from '../neti/trainer.ts';
import { Trainer } from '../neti/trainer.ts';
import { Runtime } from '../ort/runtime.ts';
import { benchCheckpoint } from './benchCheckpoint.ts';
import { benchMapper, raceLines } from './benchMapper.ts';
import { benchUnet } from './benchUnet.ts';
import { openFolder } from '../lib/modelFolder.ts';

const WARM_UP = 3;
const REPEATS = 15;

async function measureSteps(trainer: Trainer): Promise<StepTimes[]> {
  const times: StepTimes[] = [];
  for (let i = 0; i < WARM_UP + REPEATS; i++) {
    const step = await trainer.step();
    if (i >= WARM_UP) times.push(step.times);
  }
  return times;
}

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../../models/sticker-world'));
ort.env.wasm.numThreads = 2;
const runtime = new Runtime({ ort, provider: 'wasm' });
const pipeline = await Pipeline.load(runtime, openFolder(folder));
const bridge = createBridge(runtime);
const random = new Random(0);
const settings = trainSettingsOn(OFFICIAL_DEFAULTS);
const { layers, contextWidth, latent } = pipeline.shape;
const mapper = createMapper(
  bridge.backend,
  { ...MAPPER_DEFAULTS, layers, contextWidth, normScale: 1 },
  random,
);
const size = latent[0] * latent[1] * latent[2];
const moments = { mean: random.fillNormal(new Float32Array(size)), logvar: new Float32Array(size).fill(-8) };
const trainer = new Trainer({
  pipeline,
  bridge,
  mapper,
  pictures: [{ straight: moments, mirrored: moments }],
  templates: ['a photo of a {}'],
  settings,
  random,
});

const times = await measureSteps(trainer);
const PARTS = ['mapper', 'text', 'unet', 'rest'] as const;
console.log(`One training step of ${settings.batchSize} pictures, wasm, 2 threads, median of ${REPEATS}:`);
for (const part of PARTS)
  console.log(
    `  ${part.padEnd(8)} ${median(times.map((t) => t[part]))
      .toFixed(0)
      .padStart(6)} ms`,
  );
const total = median(times.map((t) => PARTS.reduce((sum, part) => sum + t[part], 0)));
console.log(`  ${'step'.padEnd(8)} ${total.toFixed(0).padStart(6)} ms`);

const checkpoint = await benchCheckpoint(
  { pipeline, bridge },
  { straight: moments, mirrored: null },
  REPEATS,
);
console.log(
  `A checkpoint: ${checkpoint.milliseconds.toFixed(1)} ms for ${(checkpoint.bytes / 1e6).toFixed(2)} MB, ${(100 * checkpoint.ratio).toFixed(2)} % of the time between two`,
);

const unet = await benchUnet(folder, { batch: settings.batchSize, repeats: REPEATS, threads: 2 });
console.log(`U-Net, ${settings.batchSize} pictures, against the stock graph's forward pass:`);
console.log(`  stock forward      ${unet.stockForward.toFixed(0).padStart(6)} ms`);
console.log(
  `  forward            ${unet.forward.toFixed(0).padStart(6)} ms  ${unet.forwardRatio.toFixed(2)} ×`,
);
console.log(
  `  forward + backward ${unet.forwardBackward.toFixed(0).padStart(6)} ms  ${unet.forwardBackwardRatio.toFixed(2)} ×`,
);

const race = await benchMapper(REPEATS);
for (const provider of ['webgpu', 'wasm'] as const) {
  console.log(
    `The mapper's step in one browser tab, ${provider}, one thread, parameters compared after 3 steps:`,
  );
  for (const line of raceLines(race[provider])) console.log(line);
}
