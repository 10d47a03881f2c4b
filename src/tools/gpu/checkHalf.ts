/**
 * npm run check-half -- [--graph FOLDER] [--resolution 128] [--batch 2] [--scales 1,1024,65536] [--budget GB]
 *   [--wide] [--python python3]
 *
 * The U-Net compiled in half precision on a WebGPU device: its losses and its gradients towards every context against the float32
 * graph's on the processor, for each scale of the loss; for comparison the float32 graph's on the device, and the half
 * graph's on the processor, which computes in float32 and rounds what is stored. Fails where, on the device, the float32 graph's
 * gradients have a cosine below 0.9999, or the half graph's of a loss scaled by more than 1 below 0.999. Without a card, Mesa's lavapipe is such a device (version 25; it has shader-f16).
 */
import type { InferenceSession } from 'onnxruntime-node';
import { z } from '../../lib/zod.ts';
import { AppError } from '../../lib/errors.ts';
import { cosine, relativeError } from '../../lib/numbers.ts';
import type { Precision } from '../../lib/precision.ts';
import { nativeTensors } from '../../onnx/testing/nativeGraph.ts';
import { unetFlags } from '../../onnx/testing/unetFlags.ts';
import { readOptions, runCommand } from './commandLine.ts';
import { unetFeeds } from './feeds.ts';
import { benchOptions, compileUnet, open, type NativeProvider } from './graphs.ts';
import { checkShape, makeModel, type ModelOptions } from './sd15.ts';

const SMALLEST_COSINE: Record<Precision, number> = { float32: 0.9999, float16: 0.999 };
const LARGEST_LOSS_ERROR = 0.01;

const optionsSchema = z.object({
  graph: z.string().optional(),
  resolution: z.coerce.number().int().multipleOf(64).default(128),
  batch: z.coerce.number().int().positive().default(2),
  scales: z
    .string()
    .default('1,1024,65536')
    .transform((text) => text.split(',').map(Number))
    .pipe(z.array(z.number().positive()))
    .refine(
      (scales) => scales.some((scale) => scale > 1),
      'Expected a scale above 1: only those are required to agree.',
    ),
  budget: z.coerce.number().nonnegative().default(0),
  wide: z.boolean().default(false),
  python: z.string().default('python3'),
});
type Options = z.infer<typeof optionsSchema>;

type Task = Pick<Options, 'batch' | 'budget' | 'scales'> & {
  readonly folder: string;
  readonly model: ModelOptions;
};

interface Gradients {
  readonly losses: Float32Array;
  /** Of each context of each layer: first the layers' keys, then their values. */
  readonly layers: readonly Float32Array[];
}

interface Comparison {
  readonly lossError: number;
  readonly cosine: number;
  readonly worstLayer: number;
}

function floats(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (data instanceof Float32Array) return data;
  throw new AppError('check.output', `Expected numbers in ${name}, found none.`);
}

/** Losses and gradients of each scale, the gradients divided by it again. */
async function differentiate(
  { folder, model, batch, budget, scales }: Task,
  precision: Precision,
  provider: NativeProvider,
): Promise<Gradients[]> {
  const shape = await compileUnet(folder, benchOptions({ precision, batch, budget }));
  checkShape(shape, model);
  const session = await open(folder, 'unet', provider);
  const found: Gradients[] = [];
  for (const scale of scales) {
    const feeds = { ...unetFeeds(shape, batch, scale), ...unetFlags(nativeTensors, true) };
    const outputs = await session.run(feeds, ['losses', 'grad_key_contexts', 'grad_value_contexts']);
    const layers = ['grad_key_contexts', 'grad_value_contexts'].flatMap((name) =>
      split(floats(outputs, name), shape.layers).map((layer) => layer.map((value) => value / scale)),
    );
    found.push({ losses: floats(outputs, 'losses'), layers });
  }
  await session.release();
  return found;
}

function split(values: Float32Array, parts: number): Float32Array[] {
  const size = values.length / parts;
  return Array.from({ length: parts }, (_, i) => values.subarray(i * size, (i + 1) * size));
}

function compare(found: Gradients, expected: Gradients): Comparison {
  const all = ({ layers }: Gradients) => layers.flatMap((layer) => Array.from(layer));
  return {
    lossError: relativeError(found.losses, expected.losses),
    cosine: cosine(all(found), all(expected)),
    worstLayer: Math.min(...found.layers.map((layer, i) => cosine(layer, expected.layers[i]!))),
  };
}

function print(name: string, { lossError, cosine: whole, worstLayer }: Comparison): void {
  const cells = [lossError.toExponential(1), whole.toFixed(6), worstLayer.toFixed(6)];
  console.log(name.padEnd(40) + cells.map((cell) => cell.padStart(14)).join(''));
}

async function main(): Promise<void> {
  const options = readOptions(optionsSchema, ['wide']);
  const { scales } = options;
  const model = { ...options, narrow: !options.wide };
  const task = { ...options, model, folder: await makeModel(model) };
  const unscaled = { ...task, scales: [1] };
  const [expected] = await differentiate({ ...unscaled, budget: 0 }, 'float32', 'cpu');
  console.log(`${'against float32, cpu'.padEnd(40)}     loss error        cosine   worst layer`);
  const [single] = await differentiate(unscaled, 'float32', 'webgpu');
  const inSingle = compare(single!, expected!);
  print('float32, webgpu', inSingle);
  requireClose(inSingle, 'float32');
  for (const provider of ['cpu', 'webgpu'] as const)
    for (const [i, half] of (await differentiate(task, 'float16', provider)).entries()) {
      const comparison = compare(half, expected!);
      print(`float16, ${provider}, loss × ${scales[i]!}`, comparison);
      if (provider === 'webgpu' && scales[i]! > 1) requireClose(comparison, 'float16');
    }
}

function requireClose({ lossError, cosine: whole }: Comparison, precision: Precision): void {
  const smallest = SMALLEST_COSINE[precision];
  if (whole >= smallest && lossError <= LARGEST_LOSS_ERROR) return;
  const expected = `a cosine of at least ${smallest} and a loss within ${LARGEST_LOSS_ERROR}`;
  throw new AppError('check.half', `Expected ${expected} in ${precision}, found ${whole} and ${lossError}.`);
}

runCommand(main);
