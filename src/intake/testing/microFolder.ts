/** For tests: the micro model (random weights, Stable Diffusion's exact layout) as a folder that was chosen on the page. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { FolderFile } from '../folder.ts';

const folder = join(import.meta.dirname, '../../onnx/fixtures/micro');

export async function microFolder(): Promise<FolderFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((each) => each.isFile())
    .map((each) => relative(folder, join(each.parentPath, each.name)));
  const toFile = async (path: string) => ({
    path: `micro/${path}`,
    file: new File([await readFile(join(folder, path))], path),
  });
  return Promise.all(paths.map(toFile));
}
