/** The Python side (sd15.py): makes the model with random weights, and is PyTorch's stopwatch. */
import { existsSync, readdirSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from '../../lib/zod.ts';
import { AppError } from '../../lib/errors.ts';
import type { UnetShape } from '../../onnx/surgery/unet.ts';
import { runPython } from '../python.ts';

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

/**
 * The folder of the model, which is made when it is not there yet, beside its place, so that an export that was cut short is
 * never taken for a model. Throws `bench.model` where the folder holds something else.
 */
export async function makeModel(options: ModelOptions): Promise<string> {
  const name = `neti-sd15-${options.narrow ? 'narrow-' : ''}${options.resolution}`;
  const folder = options.graph ?? join(tmpdir(), name);
  const isMade = ['unet', 'text_encoder'].every((part) => existsSync(join(folder, part, 'model.onnx')));
  if (!isMade) {
    requireEmpty(folder);
    console.log(`Making the model in ${folder} …`);
    const unfinished = `${folder}.unfinished`;
    await rm(unfinished, { recursive: true, force: true });
    await python(options, 'export', unfinished);
    await rename(unfinished, folder);
  }
  return folder;
}

function requireEmpty(folder: string): void {
  if (!existsSync(folder) || !readdirSync(folder).length) return;
  throw new AppError(
    'bench.model',
    `Expected unet/model.onnx and text_encoder/model.onnx in ${folder}, found other files: name another folder or remove it.`,
  );
}

/** Throws `bench.model` unless the model in the folder is of the sizes that the options ask for. */
export function checkShape({ latent, contextWidth }: UnetShape, { resolution, narrow }: ModelOptions): void {
  const width = narrow ? 64 : 768;
  if (latent[1] === resolution / 8 && contextWidth === width) return;
  const expected = `a model of ${resolution}² with contexts of ${width}`;
  const found = `latents of ${latent.join('×')} and contexts of ${contextWidth}`;
  throw new AppError(
    'bench.model',
    `Expected ${expected}, found ${found}: change the options or the folder.`,
  );
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

function python(options: ModelOptions, ...command: string[]): Promise<string> {
  const shape = ['--resolution', String(options.resolution), ...(options.narrow ? ['--narrow'] : [])];
  return runPython(options.python, script, [...command, ...shape]);
}
