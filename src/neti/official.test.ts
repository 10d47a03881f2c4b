/**
 * The studio's own path (compiler, pipeline, mapper, trainer on WebAssembly) against the official implementation, run on
 * the same random-weight model with the same random numbers (fixtures/make_official.py).
 */
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { Pipeline } from '../diffusion/pipeline.ts';
import { relativeError } from '../lib/numbers.ts';
import { overlaid } from '../lib/modelFiles.ts';
import { Random } from '../lib/random.ts';
import { prepareModel } from '../onnx/model.ts';
import { Runtime } from '../ort/runtime.ts';
import { createBridge } from './bridge.ts';
import { conceptContexts } from './contexts.ts';
import { MAPPER_DEFAULTS } from './mapperConfig.ts';
import { readOfficialGoldens, openOfficialModel, RecordedRandom, sketch } from './testing/officialGoldens.ts';
import { officialMapper, officialPictures, OFFICIAL_RUN_TEMPLATES } from './testing/officialRun.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from './baseDefaults.ts';
import { Trainer } from './trainer.ts';

const TOLERANCE = 1e-4;
const CURVE_TOLERANCE = 1e-3;
/** The ten steps took two minutes on a machine ten times overbooked. */
const PATIENCE = { timeout: 300_000 };
const RECORDED_STEPS = 10;
const TIMESTEPS = [999, 339];
const goldens = await readOfficialGoldens();
const stock = new Map<string, Promise<Blob>>();
const openStock = (path: string) => {
  const file = stock.get(path) ?? openOfficialModel(path);
  stock.set(path, file);
  return file;
};
const prepared = await prepareModel(openStock);
ort.env.wasm.numThreads = 2;
const runtime = new Runtime({ ort, provider: 'wasm' });
const pipeline = await Pipeline.load(runtime, overlaid(prepared, openStock));
const bridge = createBridge(runtime);
const pictures = await officialPictures(pipeline);
const freshMapper = (textualBypass: boolean) => officialMapper(pipeline, bridge, textualBypass);

const empty = (): number[] => [];

function expectClose(found: ArrayLike<number>, golden: string, tolerance: number): void {
  const error = relativeError(found, goldens.get(golden)!);
  expect(error, golden).toBeLessThanOrEqual(tolerance);
}

/** Sketches of each timestep's and layer's context, end to end. */
function sketchLayers(contexts: Float32Array): Float32Array {
  const size = pipeline.shape.tokens * pipeline.shape.contextWidth;
  const rows = Array.from({ length: contexts.length / size }, (_, i) =>
    sketch(contexts.subarray(i * size, (i + 1) * size), 128),
  );
  return Float32Array.from(rows.flatMap((row) => Array.from(row)));
}

describe.each([
  ['bypass', true, RECORDED_STEPS],
  ['plain', false, 1],
] as const)('%s', PATIENCE, (variant, textualBypass, steps) => {
  it.each([
    ['whole', MAPPER_DEFAULTS.hidden],
    ['truncated', 40],
  ])('contexts of all layers, predicted noise and loss: %s', async (name, truncation) => {
    const mapper = await freshMapper(textualBypass);
    const row = pipeline.tokenizer.encode('a photo of a {}');
    const at = await conceptContexts(pipeline, bridge, {
      row,
      concepts: [{ mapper, truncation }],
      timesteps: TIMESTEPS,
    });
    const random = new Random(3);
    const [c, h, w] = pipeline.shape.latent;
    const [sample, target] = [0, 1].map(() => random.fillNormal(new Float32Array(c * h * w)));
    const found = { keys: empty(), values: empty(), noise: empty(), losses: empty() };
    for (const [i, timestep] of TIMESTEPS.entries()) {
      const { keys, values } = at(i);
      const { tokens, contextWidth, layers } = pipeline.shape;
      const dims = [layers, 1, tokens, contextWidth];
      const tensors = { keys: runtime.float(keys, dims), values: runtime.float(values, dims) };
      const inputs = { sample: sample!, timesteps: [timestep], ...tensors };
      found.keys.push(...sketchLayers(keys));
      found.values.push(...sketchLayers(values));
      found.noise.push(...(await pipeline.denoise(inputs)));
      found.losses.push(...(await pipeline.denoiseLosses(inputs, target!)));
    }
    for (const [key, values] of Object.entries(found))
      expectClose(values, `${variant}.${name}.${key}`, TOLERANCE);
    mapper.release();
  });

  it(`losses of ${steps} steps, gradients and weights of the first`, async () => {
    const mapper = await freshMapper(textualBypass);
    const random = new RecordedRandom(goldens.get('stream')!);
    const settings = trainSettingsOn(OFFICIAL_DEFAULTS);
    const trainer = new Trainer({
      pipeline,
      bridge,
      mapper,
      pictures,
      templates: OFFICIAL_RUN_TEMPLATES,
      settings,
      random,
    });
    const curve = [(await trainer.step()).loss];
    for (const { name, gradient, buffer } of mapper.parameters)
      for (const [kind, source] of [
        ['gradient', gradient],
        ['stepped', buffer],
      ] as const) {
        const found = sketch(await bridge.backend.download(source), 1024);
        expectClose(found, `${variant}.${kind}.${name}`, TOLERANCE);
      }
    while (curve.length < steps) curve.push((await trainer.step()).loss);
    expectClose(curve, `${variant}.curve`, CURVE_TOLERANCE);
    expect(random.exhausted).toBe(steps === RECORDED_STEPS);
    trainer.release();
    mapper.release();
  });
});
