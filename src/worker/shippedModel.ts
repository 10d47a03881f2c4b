/** The base model that ships with the studio: fetched from the page's own server, kept between visits, verified. */
import { AppError } from '../lib/errors.ts';
import { manifestSchema, type ModelEntry, type ModelFile } from '../lib/manifest.ts';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { readCached } from '../storage/modelCache.ts';
import type { LoadProgress } from './api.ts';
import { hasJudge, hasStartingMapper, readWords, type BaseModel } from './baseModel.ts';

/** Samples and licences are fetched when somebody looks at them. */
const OPTIONAL = /^concepts\/|\.md$/;

/** @param root the page's address. Throws `model.manifest` and `download.*`. */
export async function openShippedModel(
  root: string,
  onProgress: (progress: LoadProgress) => void,
): Promise<BaseModel> {
  const home = new URL('models/', root).href;
  const entry = await findEntry(home);
  const files = entry.files.filter(({ path }) => !OPTIONAL.test(path));
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const contents = await download(`${home}${entry.path}/`, files, total, onProgress);
  const open: OpenFile = (path) => {
    const content = contents.get(path);
    return content ? Promise.resolve(content) : Promise.reject(missingFile(entry.id, path));
  };
  const url = (path: string) => `${home}${entry.path}/${path}`;
  return {
    id: entry.id,
    title: entry.title,
    hash: entry.hash,
    keptId: null,
    words: await readWords(open),
    defaults: await readDefaults(open),
    open,
    bytes: total,
    judged: hasJudge(files),
    startingMapper: hasStartingMapper(files),
    samples: entry.samples.map(({ taught, ...sample }) => ({
      ...sample,
      pictures: sample.pictures.map(url),
      taught: taught && { ...taught, file: url(taught.file), drawn: url(taught.drawn) },
    })),
  };
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
    onProgress({ status: 'initiate', part: path, loaded, total });
    const onBytes = (bytes: number) => {
      loaded += bytes;
      onProgress({ status: 'progress', part: path, loaded, total });
    };
    const content = await readCached({ url: `${home}${path}`, sha256, onBytes });
    onProgress({ status: 'done', part: path, loaded, total });
    return [path, new Blob([content])];
  };
  return new Map(await Promise.all(files.map(fetchOne)));
}
