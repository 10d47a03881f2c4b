/** Python beside a benchmark: runs a script, and says what is missing where it cannot. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from '../lib/zod.ts';
import { AppError } from '../lib/errors.ts';

const run = promisify(execFile);

/** What the script prints. Throws `bench.python` where interpreter or package is missing, or the script fails. */
export async function runPython(
  interpreter: string,
  script: string,
  options: readonly string[],
): Promise<string> {
  try {
    return (await run(interpreter, [script, ...options])).stdout;
  } catch (error) {
    throw new AppError('bench.python', explain(interpreter, script, error), { cause: error });
  }
}

const failureSchema = z.object({ code: z.unknown(), stderr: z.string().default('') });

function explain(interpreter: string, script: string, error: unknown): string {
  const { code, stderr } = failureSchema.parse(error);
  if (code === 'ENOENT')
    return `Expected Python as ${interpreter}, found no such program: install Python 3.10 or later, or name it with --python.`;
  const missing = /ModuleNotFoundError: No module named '([\w.]+)'/.exec(stderr)?.[1];
  if (missing)
    return `Expected the Python package ${missing}, found none: ${interpreter} -m pip install torch diffusers transformers onnx onnxruntime safetensors`;
  return `Expected ${interpreter} ${script} to run, found: ${stderr.trim().split('\n').slice(-3).join('\n')}`;
}
