/** JSON that comes from a file of a model: says which file is not JSON. */
import { AppError } from './errors.ts';

/** Throws `file.json`. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('file.json', `Expected JSON in ${path}, found something else; fetch the file again.`, {
      cause,
    });
  }
}
