/** A model folder on disk as the pipeline and the compiler open it. */
import { existsSync, openAsBlob } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';

/** Files are read when their content is asked for. */
export function openFolder(folder: string | URL): OpenFile {
  const home = typeof folder === 'string' ? folder : fileURLToPath(folder);
  return async (path) => {
    const file = join(home, path);
    if (!existsSync(file)) throw missingFile(home, path);
    return openAsBlob(file);
  };
}
