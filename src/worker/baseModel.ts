/** Opens a shipped base model: manifest, vocabulary, prepared graphs, with download progress for the page. */
import { z } from 'zod';
import { AppError } from '../lib/errors.ts';
import { judgeParts, manifestSchema, type ModelEntry, type ModelFile } from '../lib/manifest.ts';
import { missingFile, readJson, type OpenFile } from '../lib/modelFiles.ts';
import type { BaseIdentity } from '../neti/conceptFile.ts';
import { readCached } from '../storage/modelCache.ts';
import type { LoadProgress, Vocabulary } from './api.ts';

const wordsSchema = z.object({
  words: z.array(z.string()),
  categories: z.array(z.string()),
  suggestions: z.array(z.string()),
  templates: z.object({ object: z.array(z.string()), style: z.array(z.string()) }),
});

export type Words = z.infer<typeof wordsSchema>;

export interface BaseModel {
  readonly entry: ModelEntry;
  readonly words: Words;
  readonly open: OpenFile;
  /** Bytes of the files that training and sampling need. */
  readonly bytes: number;
}

/** Samples and licences are fetched when somebody looks at them. */
const optional = /^concepts\/|\.md$/;

export async function openBaseModel(
  root: string,
  onProgress: (progress: LoadProgress) => void,
): Promise<BaseModel> {
  const home = new URL('models/', root).href;
  const entry = await findEntry(home);
  const files = entry.files.filter(({ path }) => !optional.test(path));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const contents = await download(`${home}${entry.path}/`, files, total, onProgress);
  const openFile: OpenFile = (path) => {
    const content = contents.get(path);
    return content ? Promise.resolve(content) : Promise.reject(missingFile(entry.id, path));
  };
  const words = wordsSchema.parse(await readJson(openFile, 'words.json'));
  return { entry, words, open: openFile, bytes: total };
}

/** Whether a judge ships with the base. */
export function hasJudge({ files }: ModelEntry): boolean {
  return judgeParts.every((part) => files.some(({ path }) => path === `${part}/model.onnx`));
}

/** What concepts learned on this base carry. */
export function identityOf({ entry }: BaseModel): BaseIdentity {
  return { id: entry.id, hash: entry.hash };
}

export function vocabularyOf(words: Words): Vocabulary {
  const { words: known, categories, suggestions } = words;
  return { words: known, categories, suggestions };
}

async function findEntry(home: string): Promise<ModelEntry> {
  const response = await fetch(`${home}manifest.json`).catch(() => null);
  const manifest = response?.ok ? manifestSchema.safeParse(await response.json()) : null;
  const entry = manifest?.data?.models[0];
  if (entry) return entry;
  throw new AppError(
    'model.manifest',
    `Expected a list of base models at ${home}manifest.json, found ${response ? `answer ${response.status}` : 'no answer'}. ` +
      'Check the connection and reload.',
  );
}

async function download(
  home: string,
  files: readonly ModelFile[],
  total: number,
  onProgress: (progress: LoadProgress) => void,
): Promise<Map<string, Blob>> {
  let loaded = 0;
  const fetchOne = async ({ path, sha256 }: ModelFile): Promise<[string, Blob]> => {
    onProgress({ status: 'initiate', file: path, loaded, total });
    const onBytes = (bytes: number) => {
      loaded += bytes;
      onProgress({ status: 'progress', file: path, loaded, total });
    };
    const content = await readCached({ url: `${home}${path}`, sha256, onBytes });
    onProgress({ status: 'done', file: path, loaded, total });
    return [path, new Blob([content])];
  };
  return new Map(await Promise.all(files.map(fetchOne)));
}
