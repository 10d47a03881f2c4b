/** A model folder on disk as the pipeline and the compiler open it. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

export function openFolder(folder: string | URL): OpenFile {
  const home = typeof folder === 'string' ? folder : fileURLToPath(folder);
  return async (path) => {
    const bytes = await readFile(join(home, path)).catch((error: unknown) => {
      throw isMissing(error) ? missingFile(home, path) : error;
    });
    return new Blob([bytes]);
  };
}
