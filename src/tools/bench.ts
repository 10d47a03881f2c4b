/**
 * `npm run bench [-- MODEL_DIR] [--python python3] [--out FILE.json]`: what a training step of 8 pictures costs on WebAssembly with
 * two threads, by part, and in PyTorch on as many; what a checkpoint takes, and what the backward pass adds to the U-Net; the
 * mapper's step beside other libraries, in a browser; what a first visit waits for and loads. Medians of interleaved repeats in one run;
 * compare ratios, not days.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import * as ort from 'onnxruntime-web';
import { median } from 'simple-statistics';
import { Pipeline } from '../diffusion/pipeline.ts';
import { toPlainError } from '../lib/errors.ts';
import { Random } from '../lib/random.ts';
import { createBridge } from '../neti/bridge.ts';
import { createMapper } from '../neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../neti/mapperConfig.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import type { StepTimes } from '../neti/trainer.ts';
import { Trainer } from '../neti/trainer.ts';
import { Runtime } from '../ort/runtime.ts';
import { benchBytes, type FirstLoad } from './benchBytes.ts';
import { benchCheckpoint } from './benchCheckpoint.ts';
import { benchMapper, raceLines } from './benchMapper.ts';
import { benchPage, type PageTimes } from './benchPage.ts';
import { benchPyTorch, type PyTorchStep } from './benchPyTorch.ts';
import { benchUnet } from './benchUnet.ts';
import { openFolder } from '../lib/modelFolder.ts';

const WARM_UP = 3;
const REPEATS = 15;

function printTime(name: string, time: number, note = ''): void {
  console.log(`  ${name.padEnd(8)} ${time.toFixed(0).padStart(6)} ms${note}`);
}

function printPyTorch(found: PyTorchStep): void {
  console.log('The same in PyTorch, float32, 2 threads:');
  for (const [way, time] of Object.entries(found))
    printTime(way, time, `  ours ÷ it ${(total / time).toFixed(2)}`);
}

function printPage(times: PageTimes): void {
  const seconds = (time: number) => `${(time / 1000).toFixed(1)} s`;
  console.log(
    `A first visit: ready after ${seconds(times.open)}; a taught sample's first picture ${seconds(times.firstPicture)} after the press; the slider's first after ${seconds(times.sliderFirst)}, its final after ${seconds(times.sliderFinal)}.`,
  );
}

function printBytes({ page, worker, engines }: FirstLoad): void {
  const megabytes = (count: number) => `${(count / 1e6).toFixed(2)} MB`;
  const builds = Object.entries(engines).map(([name, count]) => `${name} ${megabytes(count)}`);
  console.log(
    `It loads, by gzip: page ${megabytes(page)}, worker ${megabytes(worker)}, one engine of ${builds.join(', ')}.`,
  );
}

async function measureSteps(trainer: Trainer): Promise<StepTimes[]> {
  const times: StepTimes[] = [];
  for (let i = 0; i < WARM_UP + REPEATS; i++) {
    const step = await trainer.step();
    if (i >= WARM_UP) times.push(step.times);
  }
  return times;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string', default: 'python3' }, out: { type: 'string' } },
});
const root = join(import.meta.dirname, '../..');
const folder = resolve(positionals[0] ?? join(root, 'models/sticker-world'));
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
const step = Object.fromEntries(PARTS.map((part) => [part, median(times.map((t) => t[part]))]));
for (const [part, time] of Object.entries(step)) printTime(part, time);
const total = median(times.map((t) => PARTS.reduce((sum, part) => sum + t[part], 0)));
printTime('step', total);
const pytorch = await benchPyTorch(values.python, folder, REPEATS).catch(toPlainError);
if ('message' in pytorch) console.log(`The same in PyTorch: not measured. ${pytorch.message}`);
else printPyTorch(pytorch);

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

const dist = join(root, 'dist');
const visit = existsSync(dist) ? { ...(await benchPage(root)), bytes: await benchBytes(dist) } : null;
if (visit === null) console.log('A first visit: not measured, for want of `npm run build`.');
else {
  printPage(visit);
  printBytes(visit.bytes);
}

if (values.out !== undefined) {
  const report = { step: { ...step, total }, pytorch, checkpoint, unet, race, visit };
  await writeFile(values.out, `${JSON.stringify(report, null, 2)}\n`);
}
