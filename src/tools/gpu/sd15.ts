/** The Python side (sd15.py): makes the model with random weights, and is PyTorch's stopwatch. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { AppError } from '../../lib/errors.ts';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'sd15.py');

export interface ModelOptions {
  /** Holds the model, or will; a folder of the temporary ones by default. */
  readonly graph?: string | undefined;
  readonly narrow: boolean;
  readonly resolution: number;
  /** The Python interpreter. */
  readonly python: string;
}

const timesSchema = z.object({
  device: z.string(),
  /** Whether `device` is a graphics card. */
  onCard: z.boolean(),
  precision: z.string(),
  forward: z.number(),
  training: z.number(),
  peakGib: z.number().nullable(),
});
/** Seconds a picture. */
export type PyTorchTimes = z.infer<typeof timesSchema>;

/** The folder of the model, which is made when it is not there yet. */
export async function makeModel(options: ModelOptions): Promise<string> {
  const name = `neti-sd15-${options.narrow ? 'narrow-' : ''}${options.resolution}`;
  const folder = options.graph ?? join(tmpdir(), name);
  const isMade = ['unet', 'text_encoder'].every((part) => existsSync(join(folder, part, 'model.onnx')));
  if (!isMade) {
    console.log(`Making the model in ${folder} …`);
    await python(options, 'export', folder);
  }
  return folder;
}

/** The same steps in PyTorch, on the card where it sees one. */
export async function timePyTorch(
  options: ModelOptions,
  batch: number,
  steps: number,
): Promise<PyTorchTimes> {
  const output = await python(options, 'time', '--batch', String(batch), '--steps', String(steps));
  return timesSchema.parse(JSON.parse(output.trim().split('\n').at(-1)!));
}

async function python(options: ModelOptions, ...command: string[]): Promise<string> {
  const shape = ['--resolution', String(options.resolution), ...(options.narrow ? ['--narrow'] : [])];
  try {
    return (await run(options.python, [script, ...command, ...shape])).stdout;
  } catch (error) {
    throw new AppError('bench.python', explain(options.python, error), { cause: error });
  }
}

const failureSchema = z.object({ code: z.unknown(), stderr: z.string().default('') });

function explain(interpreter: string, error: unknown): string {
  const { code, stderr } = failureSchema.parse(error);
  if (code === 'ENOENT')
    return `Expected Python as ${interpreter}, found no such program: install Python 3.10 or later, or name it with --python.`;
  const missing = /ModuleNotFoundError: No module named '([\w.]+)'/.exec(stderr)?.[1];
  if (missing)
    return `Expected the Python package ${missing}, found none: ${interpreter} -m pip install torch diffusers transformers onnx safetensors`;
  return `Expected ${interpreter} ${script} to run, found: ${stderr.trim().split('\n').slice(-3).join('\n')}`;
}
