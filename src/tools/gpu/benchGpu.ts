/**
 * npm run bench:gpu -- [--graph FOLDER] [--narrow] [--resolution 512] [--batch 1] [--steps 5] [--precision float16|float32]
 *   [--budget GB] [--provider webgpu|cpu] [--python python3] [--out FILE.json]
 *
 * How fast the studio's graphs are on this machine's graphics card, against PyTorch on the same card in the same run: seconds of
 * a forward pass and of a training picture of Stable Diffusion 1.5 with random weights, peak memory, what dominates, and
 * whether the target is met. The model is made in FOLDER when it is not there yet (sd15.py names the Python packages).
 * Precision and budget are by default what the studio takes for such a model (worker/compileOptions.ts).
 */
import { writeFile } from 'node:fs/promises';
import { z } from '../../lib/zod.ts';
import { PRECISIONS } from '../../lib/precision.ts';
import { readOptions, runCommand } from './commandLine.ts';
import { compile, benchOptions, PROVIDERS } from './graphs.ts';
import { withPeakMemory } from './memory.ts';
import { print, type Report } from './report.ts';
import { checkShape, makeModel, timePyTorch } from './sd15.ts';
import { profileSteps, timeSteps } from './timing.ts';

const optionsSchema = z.object({
  graph: z.string().optional(),
  narrow: z.boolean().default(false),
  resolution: z.coerce.number().int().multipleOf(64).default(512),
  batch: z.coerce.number().int().positive().default(1),
  steps: z.coerce.number().int().positive().default(5),
  precision: z.enum(PRECISIONS).default('float16'),
  /** GB for the activations of a call, recomputing what does not fit; 0 for no limit. */
  budget: z.coerce.number().nonnegative().default(2),
  provider: z.enum(PROVIDERS).default('webgpu'),
  python: z.string().default('python3'),
  out: z.string().optional(),
});
type Options = z.infer<typeof optionsSchema>;

async function measure(options: Options): Promise<Report> {
  const { batch, steps } = options;
  const folder = await makeModel(options);
  const shape = await compile(folder, benchOptions(options));
  // PyTorch's model is made from the options.
  checkShape(shape, options);
  const task = { ...options, folder };
  // First what may be missing: a session that cannot open is said before minutes are spent on PyTorch.
  const studio = await withPeakMemory(() => timeSteps(task, shape));
  const processPeakGib = process.resourceUsage().maxRSS / 2 ** 20;
  const dominant = await profileSteps(task, shape);
  const pytorch = await withPeakMemory(() => timePyTorch(options, batch, steps));
  return {
    options,
    pytorch: { ...pytorch.result, cardPeakGib: pytorch.peakGib },
    studio: { ...studio.result, cardPeakGib: studio.peakGib, processPeakGib },
    dominant,
  };
}

async function main(): Promise<void> {
  const options = readOptions(optionsSchema, ['narrow']);
  const report = await measure(options);
  print(report);
  if (options.out) await writeFile(options.out, `${JSON.stringify(report, null, 1)}\n`);
}

runCommand(main);
