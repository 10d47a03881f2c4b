/**
 * npm run prepare-model -- DIR [--check]
 *
 * Compiles the stock graphs of a model folder (Hugging Face ONNX layout) into DIR/prepared. With --check it writes
 * nothing and fails unless what lies there is what the compiler makes of the stock files.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../lib/errors.ts';
import { JUDGE_PARTS } from '../lib/modelLayout.ts';
import { prepareJudge } from '../onnx/judge.ts';
import { prepareModel } from '../onnx/model.ts';
import { openFolder } from '../lib/modelFolder.ts';

async function main(args: readonly string[]): Promise<void> {
  const [folder] = args.filter((arg) => !arg.startsWith('--'));
  if (!folder) throw new AppError('usage', 'expected a model folder: npm run prepare-model -- DIR [--check]');
  const open = openFolder(folder);
  const parts = await readdir(folder);
  const judge = JUDGE_PARTS.every((part) => parts.includes(part)) ? await prepareJudge(open) : [];
  for (const [path, bytes] of [...(await prepareModel(open)), ...judge]) {
    if (args.includes('--check')) await compare(join(folder, path), bytes);
    else await save(join(folder, path), bytes);
  }
}

async function save(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  console.log(`${path}: ${bytes.byteLength} bytes`);
}

async function compare(path: string, expected: Uint8Array): Promise<void> {
  const found = await readFile(path);
  if (found.equals(expected)) return;
  throw new AppError(
    'prepare.stale',
    `expected ${path} to match its stock model; run npm run prepare-model again`,
  );
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
