/** Part of `npm run bench`: the same training step in PyTorch (models/training/bench_step.py), on as many threads. */
import { join } from 'node:path';
import { z } from '../lib/zod.ts';
import { runPython } from './python.ts';

const SCRIPT = join(import.meta.dirname, '../../models/training/bench_step.py');

/** Medians in milliseconds: everything in one batch, and in micro-batches and layer by layer as the paper's code has it. */
const timesSchema = z.object({ batched: z.number(), official: z.number() });
export type PyTorchStep = z.infer<typeof timesSchema>;

/** Throws `bench.python` where PyTorch is missing. */
export async function benchPyTorch(
  interpreter: string,
  folder: string,
  repeats: number,
): Promise<PyTorchStep> {
  const output = await runPython(interpreter, SCRIPT, [folder, `${repeats}`]);
  return timesSchema.parse(JSON.parse(output.trim().split('\n').at(-1)!));
}
