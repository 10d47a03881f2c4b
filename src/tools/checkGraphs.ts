/**
 * npm run check-graphs -- DIR [--compile-only]
 *
 * Compiles the graphs of a Stable Diffusion folder and says how long it took, how much memory the process had at its
 * peak, and which operators the stock files and the prepared graphs consist of. Then loads the text encoder and the
 * U-Net in the native onnxruntime and runs one forward and backward pass of a 256 × 256 picture.
 */
import { Tensor, type InferenceSession } from 'onnxruntime-node';
import { AppError } from '../lib/errors.ts';
import type { OpenFile } from '../lib/modelFiles.ts';
import {
  graphPath,
  preparedManifest,
  preparedPath,
  preparedSchema,
  type PreparedManifest,
} from '../lib/modelLayout.ts';
import { sizeOf } from '../lib/numbers.ts';
import { Random } from '../lib/random.ts';
import type { Node } from '../onnx/graph.ts';
import { BYPASS_SCALE } from '../neti/bridge.ts';
import { prepareModel } from '../onnx/model.ts';
import { prepareTextEncoder, prepareUnet, type Prepared } from '../onnx/prepare.ts';
import { readModel } from '../onnx/read.ts';
import { readStock, type Stock } from '../onnx/stock.ts';
import type { UnetShape } from '../onnx/surgery/unet.ts';
import type { TextShape } from '../onnx/surgery/textEncoder.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { nativeTensors, openNative, wholeNumbers } from '../onnx/testing/nativeGraph.ts';
import { runBoth } from '../onnx/testing/textRuns.ts';
import { unetFlags } from '../onnx/testing/unetFlags.ts';

/** Side of the latents of a 256 × 256 picture. */
const SIDE = 32;

/** Large models run with little memory: weights stay mapped, each widened one is freed after its last reader. */
const FRUGAL: InferenceSession.SessionOptions = {
  graphOptimizationLevel: 'disabled',
  enableCpuMemArena: false,
  enableMemPattern: false,
};

const seconds = (start: number) => `${((performance.now() - start) / 1000).toFixed(1)} s`;
const peak = () => `${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at the peak`;

async function main(args: readonly string[]): Promise<void> {
  const [folder] = args.filter((arg) => !arg.startsWith('--'));
  if (!folder) throw new AppError('usage', 'expected a folder: npm run check-graphs -- DIR [--compile-only]');
  const open = openFolder(folder);
  console.log(`before compiling: ${peak()}`);
  const start = performance.now();
  const files = await prepareModel(open);
  console.log(`compiled in ${seconds(start)}, ${peak()}`);
  for (const [path, bytes] of files) console.log(`  ${path}: ${(bytes.length / 1e6).toFixed(2)} MB`);
  const manifest = preparedSchema.parse(JSON.parse(new TextDecoder().decode(files.get(preparedManifest))));
  for (const [part, weights] of Object.entries(manifest.weights)) {
    console.log(`${part}: weights in ${weights.join(', ')}`);
    console.log(`  stock:    ${await operators(graphPath(part), open)}`);
    const prepared = new Blob([files.get(preparedPath(part)) as Uint8Array<ArrayBuffer>]);
    const openPrepared = (path: string) =>
      path === 'prepared.onnx' ? Promise.resolve(prepared) : open(path);
    console.log(`  prepared: ${await operators('prepared.onnx', openPrepared)}`);
  }
  if (args.includes('--compile-only')) return;
  const text = prepareTextEncoder(await readStock(graphPath('text_encoder'), open), manifest);
  await runGraph(folder, 'text encoder', text, textFeeds(text.info));
  const stock = await readStock(graphPath('unet'), open);
  const unet = prepareUnet(stock, { ...manifest, latent: latentOf(stock, manifest) });
  await runGraph(folder, 'U-Net', unet, unetFeeds(unet.info));
}

/** 256 × 256 pixels, unless the file is of one size. */
function latentOf(stock: Stock, { latent }: PreparedManifest): readonly number[] {
  const isFixed = typeof readModel(stock).inputs.get('sample')?.dims[2] === 'number';
  return isFixed ? latent : [latent[0], SIDE, SIDE];
}

/** Operators of a graph with their counts, most frequent first; those of branches included. */
async function operators(path: string, open: OpenFile): Promise<string> {
  const counts = new Map<string, number>();
  const count = (nodes: readonly Node[]): void => {
    for (const { op, attributes } of nodes) {
      counts.set(op, (counts.get(op) ?? 0) + 1);
      for (const value of Object.values(attributes)) if (value.kind === 'graph') count(value.value.nodes);
    }
  };
  count(readModel(await readStock(path, open)).nodes);
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.map(([op, times]) => `${op} ${times}`).join(', ');
}

type Feeds = (session: InferenceSession) => Record<string, Tensor>;

async function runGraph(
  folder: string,
  name: string,
  { bytes }: Prepared<unknown>,
  feeds: Feeds,
): Promise<void> {
  const loading = performance.now();
  const session = await openNative(folder, bytes, FRUGAL);
  console.log(`${name}: onnxruntime loaded it in ${seconds(loading)}`);
  const running = performance.now();
  const outputs = session.inputNames.includes('compute_contexts')
    ? await runBoth(session, feeds(session), nativeTensors)
    : await session.run({ ...feeds(session), ...unetFlags(nativeTensors, true, true) });
  console.log(`${name}: forward and backward in ${seconds(running)}, ${peak()}`);
  for (const [output, { dims, data }] of Object.entries(outputs)) {
    const values = data as Float32Array;
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    console.log(`  ${output} [${dims.join(', ')}], norm ${norm.toPrecision(4)}`);
    if (!(norm > 0 && Number.isFinite(norm)))
      throw new AppError(
        'check.numbers',
        `expected finite numbers that are not all zero in ${output}, found ${norm}`,
      );
  }
  await session.release();
}

const random = new Random(0);

function normal(dims: readonly number[]): Tensor {
  return new Tensor('float32', random.fillNormal(new Float32Array(sizeOf(dims))), dims);
}

function textFeeds({ tokens, contextWidth }: TextShape): Feeds {
  const mask = Float32Array.from({ length: tokens }, (_, i) => Number(i === 1));
  return (session) => ({
    input_ids: wholeNumbers(
      session,
      'input_ids',
      Array.from({ length: tokens }, (_, i) => 100 + i),
      [1, tokens],
    ),
    placeholder_mask: new Tensor('float32', mask, [1, tokens, 1]),
    concept_embedding: normal([1, 1, contextWidth]),
    concept_bypass: normal([1, contextWidth]),
    bypass_scale: new Tensor('float32', [BYPASS_SCALE], []),
    grad_key_contexts: normal([1, tokens, contextWidth]),
    grad_value_contexts: normal([1, tokens, contextWidth]),
  });
}

function unetFeeds({ layers, tokens, contextWidth, latent }: UnetShape): Feeds {
  return (session) => ({
    sample: normal([1, ...latent]),
    target: normal([1, ...latent]),
    timestep: wholeNumbers(session, 'timestep', [500], [1]),
    key_contexts: normal([layers, 1, tokens, contextWidth]),
    value_contexts: normal([layers, 1, tokens, contextWidth]),
    loss_weights: new Tensor('float32', [1], [1]),
  });
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
