/** The model's folder, with shell scripts in Python's place. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { checkShape, makeModel } from './sd15.ts';

let scratch = '';
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'neti-sd15-test-'));
});
afterEach(() => rm(scratch, { recursive: true }));

/** A model made by `lines`, with the folder to export to as $3. */
async function made(lines: string): Promise<string> {
  const python = join(scratch, 'python');
  await writeFile(python, `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
  return makeModel({ graph: join(scratch, 'model'), narrow: true, resolution: 64, python });
}

const writeGraphs = (text: string) =>
  `mkdir -p $3/unet $3/text_encoder; for part in unet text_encoder; do echo ${text} > $3/$part/model.onnx; done`;

it('an export that was cut short is not taken for a model', async () => {
  await expect(made(`${writeGraphs('truncated')}; exit 1`)).rejects.toThrow();
  const folder = await made(writeGraphs('whole'));
  expect(await readFile(join(folder, 'unet/model.onnx'), 'utf8')).toBe('whole\n');
  expect(await made('exit 1')).toBe(folder);
});

it('a folder of something else is left alone', async () => {
  const graph = scratch;
  await writeFile(join(graph, 'mine'), '');
  const model = makeModel({ graph, narrow: true, resolution: 64, python: 'false' });
  await expect(model).rejects.toThrow(/found other files/);
});

it('a model of other sizes is refused', () => {
  const shape = { layers: 16, positions: [], tokens: 77, contextWidth: 64, latent: [4, 8, 8] } as const;
  const options = { narrow: true, resolution: 64, python: 'python3' };
  expect(() => checkShape(shape, options)).not.toThrow();
  expect(() => checkShape(shape, { ...options, resolution: 128 })).toThrow(/found latents of 4×8×8/);
  expect(() => checkShape(shape, { ...options, narrow: false })).toThrow(/contexts of 768/);
});
