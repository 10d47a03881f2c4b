/**
 * npm run bench:gpu -- [--graph FOLDER] [--narrow] [--resolution 512] [--batch 1] [--steps 5] [--precision float32|float16]
 *   [--budget GIB] [--provider webgpu|cpu] [--python python3] [--out FILE.json]
 *
 * How fast the studio's graphs are on this machine's graphics card, against PyTorch on the same card in the same run: seconds of
 * a forward pass and of a training picture of Stable Diffusion 1.5 with random weights, peak memory, and what dominates. The
 * model is made in FOLDER when it is not there yet (sd15.py names the Python packages).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../lib/errors.ts';
import { precisions } from '../../lib/precision.ts';
import { DEFAULT_OPTIONS, type CompileOptions } from '../../onnx/options.ts';
import { withPeakMemory } from './memory.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';
import type { Share } from './profile.ts';
import { compile, profileSteps, timeSteps, type Times } from './webgpu.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'sd15.py');
const listed = 12;

const optionsSchema = z.object({
  graph: z.string().optional(),
  narrow: z.boolean().default(false),
  resolution: z.coerce.number().int().multipleOf(64).default(512),
  batch: z.coerce.number().int().positive().default(1),
  steps: z.coerce.number().int().positive().default(5),
  precision: z.enum(precisions).default(DEFAULT_OPTIONS.precision),
  /** GiB for the activations of a call; more is recomputed the less there is. */
  budget: z.coerce.number().positive().optional(),
  provider: z.enum(['webgpu', 'cpu']).default('webgpu'),
  python: z.string().default('python3'),
  out: z.string().optional(),
});
type Options = z.infer<typeof optionsSchema>;

const twinSchema = z.object({
  device: z.string(),
  precision: z.string(),
  forward: z.number(),
  training: z.number(),
  peakGib: z.number().nullable(),
});
type Twin = z.infer<typeof twinSchema>;

interface Report {
  readonly options: Options;
  readonly pytorch: Twin & { readonly cardPeakGib: number | null };
  readonly studio: Times & { readonly cardPeakGib: number | null; readonly processPeakGib: number };
  readonly dominant: Readonly<Record<'unet' | 'text_encoder', readonly Share[]>>;
}

function readOptions(): Options {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      ...{ graph: text, resolution: text, batch: text, steps: text, precision: text, budget: text },
      ...{ provider: text, python: text, out: text },
      narrow: { type: 'boolean' },
    },
  });
  return optionsSchema.parse(values);
}

function compileOptions({ precision, budget, batch }: Options): CompileOptions {
  return { precision, batch, ...(budget !== undefined && { activationBudget: budget * 2 ** 30 }) };
}

/** The PyTorch side makes its model from the options, so the folder's must be of the same sizes. */
function checkShape({ latent, contextWidth }: UnetShape, { resolution, narrow }: Options): void {
  if (latent[1] === resolution / 8 && contextWidth === (narrow ? 64 : 768)) return;
  const found = `latents of ${latent.join('×')} and contexts of ${contextWidth}`;
  throw new AppError(
    'bench.model',
    `Expected a model of --resolution ${resolution}${narrow ? ' --narrow' : ''}, found ${found}.`,
  );
}

async function python(options: Options, ...command: string[]): Promise<string> {
  const shape = ['--resolution', String(options.resolution), ...(options.narrow ? ['--narrow'] : [])];
  try {
    return (await run(options.python, [script, ...command, ...shape])).stdout;
  } catch (error) {
    throw new AppError('bench.python', `Expected ${options.python} ${script} to run. ${String(error)}`, {
      cause: error,
    });
  }
}

async function measurePyTorch(options: Options): Promise<Report['pytorch']> {
  const count = ['--batch', String(options.batch), '--steps', String(options.steps)];
  const { result, peakGib } = await withPeakMemory(() => python(options, 'time', ...count));
  const lastLine = result.trim().split('\n').at(-1)!;
  return { ...twinSchema.parse(JSON.parse(lastLine)), cardPeakGib: peakGib };
}

async function measure(options: Options): Promise<Report> {
  const name = `neti-sd15-${options.narrow ? 'narrow-' : ''}${options.resolution}`;
  const folder = options.graph ?? join(tmpdir(), name);
  if (!existsSync(join(folder, 'unet/model.onnx'))) {
    console.log(`Making the model in ${folder} …`);
    await python(options, 'export', folder);
  }
  const shape = await compile(folder, compileOptions(options));
  checkShape(shape, options);
  const pytorch = await measurePyTorch(options);
  const task = { folder, ...options };
  const { result: times, peakGib } = await withPeakMemory(() => timeSteps(task, shape));
  const processPeakGib = process.resourceUsage().maxRSS / 2 ** 20;
  const studio = { ...times, cardPeakGib: peakGib, processPeakGib };
  return { options, pytorch, studio, dominant: await profileSteps(task, shape) };
}

function print({ options, pytorch, studio, dominant }: Report): void {
  const { batch, resolution, narrow, provider } = options;
  const row = (name: string, ours: number, theirs: number) => {
    const cells = [ours.toFixed(3), theirs.toFixed(3), `${(ours / theirs).toFixed(2)} ×`];
    console.log(name.padEnd(30) + cells.map((cell) => cell.padStart(12)).join(''));
  };
  const gib = (value: number | null) => (value === null ? 'unknown' : `${value.toFixed(2)} GiB`);
  console.log(
    `\nStable Diffusion 1.5${narrow ? ', narrow' : ''}, ${resolution}², ${batch} a call, ${pytorch.device}`,
  );
  console.log(
    `${'seconds a picture'.padEnd(30)}${provider.padStart(12)}${'PyTorch'.padStart(12)}  (${pytorch.precision})`,
  );
  row('forward pass', studio.forward, pytorch.forward);
  row('training picture', studio.training, pytorch.training);
  console.log(`of which the U-Net: ${studio.unet.toFixed(3)}`);
  console.log(`peak memory of the card: ${gib(studio.cardPeakGib)} against ${gib(pytorch.cardPeakGib)}`);
  console.log(
    `peak memory of this process: ${gib(studio.processPeakGib)}; allocated by PyTorch: ${gib(pytorch.peakGib)}`,
  );
  for (const [part, shares] of Object.entries(dominant)) printShares(part, shares);
}

function printShares(part: string, shares: readonly Share[]): void {
  console.log(`\n${part}, two training steps, by kernel:`);
  for (const { name, calls, milliseconds, share } of shares.slice(0, listed)) {
    const cells = [`${(100 * share).toFixed(1)} %`, `${milliseconds.toFixed(1)} ms`, `${calls} ×`];
    console.log(`${cells.map((cell) => cell.padStart(12)).join('')} ${name}`);
  }
}

async function main(): Promise<void> {
  const options = readOptions();
  const report = await measure(options);
  print(report);
  if (options.out) await writeFile(options.out, `${JSON.stringify(report, null, 1)}\n`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
