/** Plans a model from any address that serves a model's folder, by asking for the files of the conventional layout. */
import { AppError } from '../lib/errors.ts';
import { JUDGE_PARTS, NETWORKS } from '../lib/modelLayout.ts';
import type { Licence } from '../storage/modelRecords.ts';
import type { PlanOptions } from './hub.ts';
import { weightPaths } from './checkpointFolder.ts';
import { chooseFiles, graphNames, smallFiles, weightNames, type ListedFile } from './chooseFiles.ts';
import { makePlan, type ModelPlan } from './plan.ts';
import { sizeAt } from './request.ts';

const LICENCE_NAMES = ['LICENSE', 'LICENSE.md', 'LICENSE.txt'];

/**
 * `base` is the address of the folder; what is asked for is one byte of each file that may be there. Throws `url.address`,
 * `download.size`, `download.failed`, `model.layout` and `cancelled`.
 */
export async function planFromUrl(base: string, options: PlanOptions = {}): Promise<ModelPlan> {
  const home = readAddress(base);
  const probe = (path: string) => probeFile(home, path, options);
  const groups = await Promise.all([
    Promise.all(smallFiles.map(probe)),
    ...[...NETWORKS, ...JUDGE_PARTS].map((part) => probePart(part, probe, options)),
  ]);
  const found = groups.flat().filter((file) => file !== null);
  const isOnnx = found.some(({ path }) => /^unet\/.*\.onnx$/.test(path));
  const listing = isOnnx ? found : [...found, ...(await probeCheckpoint(probe, options))];
  return makePlan({
    title: decodeURIComponent(home.pathname.split('/').filter(Boolean).at(-1) ?? home.host),
    source: { kind: 'url', address: home.href },
    licence: await findLicence(home, options),
    ...chooseFiles(listing, options.weights ?? 'half', home.href),
  });
}

/** A folder's address: without query and hash, with a slash at its end. */
function readAddress(text: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username)
    throw new AppError(
      'url.address',
      `Expected the address of a model's folder, such as https://example.org/model/, found "${text}".`,
    );
  const folder = url.pathname.replace(/\/(model_index\.json)?$/, '');
  return new URL(`${folder}/`, url.origin);
}

async function probeFile(home: URL, path: string, options: PlanOptions): Promise<ListedFile | null> {
  const from = new URL(path, home).href;
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
    const { href } = new URL(name, home);
    const found = await sizeAt(href, options).catch(() => null);
    if (found !== null) return { name, url: href };
  }
  return null;
}
