/** A model folder on disk as the pipeline and the compiler open it: files are read when their content is asked for. */
import { openAsBlob } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missingFile, type OpenFile } from './modelFiles.ts';

export function openFolder(folder: string | URL): OpenFile {
  const home = typeof folder === 'string' ? folder : fileURLToPath(folder);
  return async (path) => {
    const file = join(home, path);
    await access(file).catch(() => {
      throw missingFile(home, path);
    });
    return openAsBlob(file);
  };
}
