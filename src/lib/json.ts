/** JSON that comes from a file of a model, as Python writes it too: says which file is not JSON. */
import { AppError } from './errors.ts';

/** A text, which may hold anything, or a number that Python writes and JSON has no word for (`lambda_min_clipped` of diffusers). */
const TEXT_OR_ENDLESS = /"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/g;
const withoutEndless = (text: string) =>
  text.replace(TEXT_OR_ENDLESS, (found) => (found.startsWith('"') ? found : 'null'));

/** Numbers that are not finite become null. Throws `file.json`. */
export function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(withoutEndless(text));
  } catch (cause) {
    throw new AppError('file.json', `Expected JSON in ${path}, found something else; fetch the file again.`, {
      cause,
    });
  }
}
