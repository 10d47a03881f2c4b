/**
 * Files of weights as a graph itself names them: exporters call them what they like, and some write one a tensor. Read off the graph's
 * structure, which lies in a small file where the weights lie apart.
 */
import { AppError } from '../lib/errors.ts';
import { fileKind, KIND_BYTES, kindWords } from '../lib/fileKind.ts';
import { graphPath, JUDGE_PARTS, NETWORKS } from '../lib/modelLayout.ts';
import { relativePath } from '../lib/relativePath.ts';
import { externalFiles } from '../onnx/stock.ts';
import type { Layout, ListedFile } from './chooseFiles.ts';
import type { PlannedFile } from './plan.ts';
import { fetchWhole, type RequestOptions } from './request.ts';

/** A graph of more bytes, elsewhere, has its weights in itself. */
const LARGEST_FETCHED = 32e6;

/** A file of the source by its path there; null where there is none. */
export type FindFile = (path: string) => Promise<ListedFile | null>;

export function inListing(listing: readonly ListedFile[]): FindFile {
  return (path) => Promise.resolve(listing.find((file) => file.path === path) ?? null);
}

/**
 * The layout with each graph's weights as it names them. Throws `model.layout` for weights that are not there, and for a graph that is
 * none, and what asking a server throws.
 * @param listing where the layout's graphs were found
 */
export async function withNamedWeights(
  layout: Layout,
  listing: readonly ListedFile[],
  find: FindFile,
  options: RequestOptions = {},
): Promise<Layout> {
  const parts = [...NETWORKS, ...JUDGE_PARTS].map(async (part) => {
    const own = layout.files.filter(({ path }) => path.startsWith(`${part}/`));
    const graph = own.find(({ path }) => path === graphPath(part));
    const names = graph && (await namesIn(graph, options));
    if (!graph || !names?.length) return own;
    const source = listing.find(({ from }) => from === graph.from)!.path;
    const folder = source.slice(0, source.lastIndexOf('/') + 1);
    const weights = names.map(async (name) => named(part, name, await find(folder + name)));
    return [graph, ...own.filter(({ path }) => path.endsWith('.json')), ...(await Promise.all(weights))];
  });
  const found = (await Promise.all(parts)).flat();
  const isOfPart = ({ path }: PlannedFile) =>
    [...NETWORKS, ...JUDGE_PARTS].some((part) => path.startsWith(`${part}/`));
  return { ...layout, files: [...found, ...layout.files.filter((file) => !isOfPart(file))] };
}

function named(part: string, name: string, file: ListedFile | null): PlannedFile {
  const path = `${part}/${name}`;
  if (file && relativePath.safeParse(path).success) return { ...file, path };
  throw new AppError(
    'model.layout',
    `Expected ${path}, in which ${graphPath(part)} says that its weights lie, found ${file ? 'a name that cannot be kept' : 'no such file'}. ` +
      'Add it, or save the graph again with its weights in one file beside it.',
  );
}

/** Null where the graph has its weights in itself, or cannot be read, which compiling it will tell. */
async function namesIn(graph: PlannedFile, options: RequestOptions): Promise<string[] | null> {
  const { from, bytes, path } = graph;
  if (typeof from === 'string' && bytes > LARGEST_FETCHED) return null;
  const file = typeof from === 'string' ? (await fetchWhole(from, options)).body : from;
  const kind = fileKind(new Uint8Array(await file.slice(0, KIND_BYTES).arrayBuffer()));
  if (kind === 'lfs' || kind === 'html' || kind === 'empty')
    throw new AppError('model.layout', `${path} is ${kindWords(kind)}.`);
  return externalFiles(path, file).catch(() => null);
}
