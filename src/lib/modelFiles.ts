/** Access to the files of a model, wherever they lie: in memory, in the browser's storage, in a folder, on a server. */
import type { z } from './zod.ts';
import { AppError } from './errors.ts';
import { parseJson } from './json.ts';

/**
 * Opens a file of a model by its path relative to the model's folder. Its content is read when it is asked for, so that
 * gigabytes need not lie in memory. Throws `model.file` for a file that the model does not have.
 */
export type OpenFile = (path: string) => Promise<Blob>;

const MISSING = 'model.file';

export function missingFile(model: string, path: string): AppError {
  return new AppError(MISSING, `The model ${model} lacks the file ${path}; fetch the model again.`);
}

/** Bytes of a file. */
export async function readBytes(open: OpenFile, path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await open(path)).arrayBuffer());
}

/** Bytes of a file, null for one that the model does not have. Throws what else `open` throws. */
export async function readOptionalBytes(
  open: OpenFile,
  path: string,
): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await readBytes(open, path);
  } catch (error) {
    if (error instanceof AppError && error.code === MISSING) return null;
    throw error;
  }
}

/** Text of a file, null for one that the model does not have. Throws what else `open` throws. */
export async function readText(open: OpenFile, path: string): Promise<string | null> {
  const bytes = await readOptionalBytes(open, path);
  return bytes && new TextDecoder().decode(bytes);
}

/** Content of a JSON file, null for one that the model does not have. Throws `file.json`. */
export async function readJson(open: OpenFile, path: string): Promise<unknown> {
  const text = await readText(open, path);
  return text === null ? null : parseJson(text, path);
}

/** Numbers out of bounds in plain words; a schema's own words come before these, zod's for the rest after. */
const outOfBounds: z.core.$ZodErrorMap = (issue) => {
  const found = `found ${JSON.stringify(issue.input)}`;
  if (issue.code === 'too_big' && typeof issue.input === 'number')
    return `must be ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}, ${found}`;
  if (issue.code === 'too_small' && typeof issue.input === 'number')
    return `must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}, ${found}`;
  return undefined;
};

/** A configuration's content, or each field that stands against it and why. */
export function parseConfig<T>(schema: z.ZodType<T>, config: unknown): { data: T } | { reasons: string } {
  const { data, error } = schema.safeParse(config, { error: outOfBounds });
  if (!error) return { data };
  return {
    reasons: error.issues.map(({ path: key, message }) => `${key.join('.')} ${message}`).join('; '),
  };
}

/** A configuration file, all defaults where the model has none. Throws `model.config`. */
export async function readConfig<T>(open: OpenFile, path: string, schema: z.ZodType<T>): Promise<T> {
  const parsed = parseConfig(schema, (await readJson(open, path)) ?? {});
  if ('data' in parsed) return parsed.data;
  throw new AppError('model.config', `${path} is not of Stable Diffusion’s form: ${parsed.reasons}.`);
}

/** The files in memory, and those of `below` for all others: what the compiler made, over the stock model. */
export function overlaid(files: ReadonlyMap<string, Uint8Array>, below: OpenFile): OpenFile {
  return async (path) => {
    const bytes = files.get(path);
    return bytes ? new Blob([new Uint8Array(bytes)]) : below(path);
  };
}
