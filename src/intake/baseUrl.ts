/** Plans a model from any address that serves a model's folder, by asking for the files of the conventional layout. */
import { AppError } from '../lib/errors.ts';
import { fileKind, KIND_BYTES, type FileKind } from '../lib/fileKind.ts';
import { JUDGE_PARTS, NETWORKS } from '../lib/modelLayout.ts';
import type { Licence } from '../storage/modelRecords.ts';
import type { PlanOptions } from './hub.ts';
import { decoded, readUrl } from './address.ts';
import { planFromFiles, type LooseFile } from './checkpointFile.ts';
import { weightPaths } from './checkpointFolder.ts';
import { chooseFiles, graphNames, smallFiles, weightNames, type ListedFile } from './chooseFiles.ts';
import { withNamedWeights } from './externalWeights.ts';
import { MODEL_NAME } from './looseFiles.ts';
import { fetchOutline } from './outline.ts';
import { makePlan, type ModelPlan } from './plan.ts';
import { sizeAt } from './request.ts';

const LICENCE_NAMES = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'];

/**
 * `address` is that of the folder, or of a single file: of a folder, one byte of each file that may be there is asked for. Throws
 * `url.address`, `download.denied`, `download.missing`, `download.size`, `download.failed`, `model.layout`, what `planFromFiles` throws, and `cancelled`.
 */
export async function planFromUrl(address: string, options: PlanOptions = {}): Promise<ModelPlan> {
  const url = readUrl(address);
  const single = await findSingle(url, options);
  if (single)
    return planFromFiles([single], { ...options, source: { kind: 'url', address: url.href }, licence: null });
  const home = folderAt(url);
  const probe = (path: string) => probeFile(home, path, options);
  const groups = await Promise.all([
    Promise.all(smallFiles.map(probe)),
    ...[...NETWORKS, ...JUDGE_PARTS].map((part) => probePart(part, probe, options)),
  ]);
  const found = groups.flat().filter((file) => file !== null);
  const isOnnx = found.some(({ path }) => /^unet\/.*\.onnx$/.test(path));
  const listing = isOnnx ? found : [...found, ...(await probeCheckpoint(probe, options))];
  const chosen = chooseFiles(listing, options.weights ?? 'half', home.href);
  return makePlan({
    title: decoded(home.pathname.split('/').filter(Boolean).at(-1) ?? home.host),
    source: { kind: 'url', address: home.href },
    licence: await findLicence(home, options),
    ...(await withNamedWeights(chosen, listing, probe, options)),
  });
}

/**
 * What lies at the address itself where that is a file: it is called like one, or begins like a model. Throws `download.missing` where
 * a file is named that is not there.
 */
async function findSingle(url: URL, options: PlanOptions): Promise<LooseFile | null> {
  if (/\/(model_index\.json)?$/.test(url.pathname)) return null;
  const outline = await fetchOutline(url.href, options);
  const isNamed = MODEL_NAME.test(url.pathname);
  if (!outline && isNamed)
    throw new AppError('download.missing', `Expected a file at ${url.href}, found none. Check the address.`);
  if (!outline || !(isNamed || (!outline.isPage && (await isModel(outline))))) return null;
  const path = decoded(url.pathname.split('/').at(-1)!);
  return {
    path,
    bytes: outline.size,
    from: url.href,
    sha256: null,
    gitBlob: null,
    start: () => Promise.resolve(outline),
  };
}

async function isModel(start: Blob): Promise<boolean> {
  const head = new Uint8Array(await start.slice(0, KIND_BYTES).arrayBuffer());
  return (['safetensors', 'pickle', 'zip', 'gguf', 'lfs'] as FileKind[]).includes(fileKind(head));
}

/** A folder's address, with a slash at its end and the query that opens it. */
function folderAt({ pathname, origin, search }: URL): URL {
  return new URL(`${pathname.replace(/\/(model_index\.json)?$/, '')}/${search}`, origin);
}

async function probeFile(home: URL, path: string, options: PlanOptions): Promise<ListedFile | null> {
  const url = new URL(path, home);
  url.search = home.search;
  const from = url.href;
  const bytes = await sizeAt(from, options);
  return bytes === null ? null : { path, bytes, from, sha256: null, gitBlob: null };
}

type Probe = (path: string) => Promise<ListedFile | null>;

/** Each part's weights of a folder of diffusers, whole ones: shards cannot be guessed. */
async function probeCheckpoint(probe: Probe, options: PlanOptions): Promise<ListedFile[]> {
  const parts = weightPaths(options.weights ?? 'half').map(async (paths) => {
    for (const path of paths) {
      const file = await probe(path);
      if (file) return file;
    }
    return null;
  });
  return (await Promise.all(parts)).filter((file) => file !== null);
}

/** The preferred graph of a part that is there, with its weights. */
async function probePart(part: string, probe: Probe, options: PlanOptions): Promise<ListedFile[]> {
  for (const name of graphNames(options.weights ?? 'half')) {
    const graph = await probe(`${part}/${name}`);
    if (!graph) continue;
    const firsts = await Promise.all(weightNames(name).map((weight) => probe(`${part}/${weight}`)));
    const weights = firsts.filter((file) => file !== null);
    const more = await Promise.all(weights.map((first) => probeNumbered(first.path, probe)));
    return [graph, ...weights, ...more.flat()];
  }
  return [];
}

/** `model.onnx_data_1`, `_2` … until one is absent. */
async function probeNumbered(first: string, probe: Probe): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  for (;;) {
    const next = await probe(`${first}_${found.length + 1}`);
    if (!next) return found;
    found.push(next);
  }
}

async function findLicence(home: URL, options: PlanOptions): Promise<Licence | null> {
  for (const name of LICENCE_NAMES) {
    const found = await probeFile(home, name, options).catch(() => null);
    if (found !== null) return { name, url: new URL(name, home).href };
  }
  return null;
}
