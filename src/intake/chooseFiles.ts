/**
 * Picks from a listing the files that the studio needs, in the Hugging Face ONNX layout of Stable Diffusion: a folder for each
 * network with its graph, the graph's weights beside it where they are kept apart, configurations, tokenizer and scheduler; or
 * in diffusers' layout (checkpointFolder.ts).
 */
import { AppError } from '../lib/errors.ts';
import {
  CHECKPOINT_FOLDER,
  configPath,
  graphPath,
  JUDGE_PARTS,
  layout,
  NETWORKS,
} from '../lib/modelLayout.ts';
import { checkpointRoots, checkpointWeights } from './checkpointFolder.ts';
import { OpenQuestion, type PlannedFile, type WeightChoice } from './plan.ts';

/** A file of the source: its path there, and what a plan needs to know of it. */
export type ListedFile = PlannedFile;

export interface Layout {
  readonly files: readonly PlannedFile[];
  readonly weights: WeightChoice | null;
  readonly notes: readonly string[];
}

/** Names of a network's graph, the preferred one first. Quantised ones are left out: they cannot be trained through. */
export const graphNames = (choice: WeightChoice) =>
  choice === 'half' ? ['model_fp16.onnx', 'model.onnx'] : ['model.onnx', 'model_fp16.onnx'];

/** Names of the first file of weights that a graph may keep apart. */
export const weightNames = (graph: string) => [
  `${graph}_data`,
  `${graph}.data`,
  ...(graph === 'model.onnx' ? ['weights.pb'] : []),
];

/** Small files that are taken where they are; of each group of `needed` at least one set must be there. */
export const smallFiles = [
  layout.index,
  layout.scheduler,
  ...NETWORKS.map(configPath),
  configPath(CHECKPOINT_FOLDER.vae_encoder),
  layout.tokenizer,
  layout.tokenizerConfig,
  layout.specialTokens,
  layout.vocabulary,
  layout.merges,
  layout.words,
  layout.defaults,
  layout.startingMapper,
  ...JUDGE_PARTS.map(configPath),
];

type Files = ReadonlyMap<string, ListedFile>;

/**
 * Throws `model.layout`, naming what is missing and how to find a model that has it, and the OpenQuestion `model.which` for several
 * models.
 * @param pick the folder of the one that was chosen among several
 */
export function chooseFiles(
  listing: readonly ListedFile[],
  choice: WeightChoice,
  where: string,
  pick?: string,
): Layout {
  const files: Files = new Map(listing.map((file) => [file.path, file]));
  const candidates = [
    ...roots(listing).map((root) => readRoot(files, root, choice)),
    ...checkpointRoots(listing).map((root) => readCheckpoint(files, root, choice)),
  ].filter(({ root }) => pick === undefined || root === pick);
  candidates.sort((a, b) => a.missing.length - b.missing.length || rank(a, choice) - rank(b, choice));
  const whole = candidates.filter(({ missing }) => missing.length === 0);
  const models = whole.filter(
    ({ root }, i) => whole.findIndex((each) => modelOf(each.root) === modelOf(root)) === i,
  );
  if (models.length > 1) throw severalModels(models, where);
  const [best] = candidates;
  if (!best && listing.some(({ path }) => QUANTISED.test(path))) throw quantisedOnly(where);
  if (best?.missing.length === 0) return describe(best);
  throw layoutError(listing, best ?? readRoot(files, '', choice), where);
}

const QUANTISED = /(^|\/)unet\/model_(quantized|u?int8|q\w+|bnb4)\.onnx$/;

function quantisedOnly(where: string): AppError {
  return new AppError(
    'model.layout',
    `There are only quantised graphs in ${where}, and nothing can be trained through those exactly. Choose the model’s graphs in full or half precision.`,
  );
}

/** Folders of one model's forms, by format or precision, count as the model itself. */
function modelOf(root: string): string {
  return root.replace(/(^|\/)((onnx|fp|float|bf|f)[-_]?(16|32)?|half|full|main)\/$/i, '$1');
}

function severalModels(models: readonly Candidate[], where: string): OpenQuestion {
  const choices = models
    .map(({ root, files }) => ({ name: root, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
  return new OpenQuestion(
    'model.which',
    `There are several models in ${where}: ${choices.map(({ name }) => `“${name}”`).join(', ')}. Choose one of their folders.`,
    { kind: 'which', title: 'Several models lie here', choices },
  );
}

interface Candidate {
  readonly root: string;
  readonly files: readonly PlannedFile[];
  readonly missing: readonly string[];
  readonly weights: WeightChoice | null;
}

/** Folders that look like a model: the U-Net's graph is in them. */
function roots(listing: readonly ListedFile[]): string[] {
  const found = listing.map(({ path }) => /^(.*\/)?unet\/model(_fp16)?\.onnx$/.exec(path));
  return [...new Set(found.filter((match) => match !== null).map((match) => match[1] ?? ''))];
}

function readRoot(files: Files, root: string, choice: WeightChoice): Candidate {
  const graphs = NETWORKS.map((network) => findGraph(files, root, network, choice));
  const judges = JUDGE_PARTS.map((part) => findGraph(files, root, part, choice));
  const judged = judges.every((graph) => graph !== null) ? judges : [];
  const small = smallFiles.flatMap((path) => files.get(root + path) ?? []);
  const found = [...graphs, ...judged].filter((graph) => graph !== null);
  const at = (file: ListedFile): PlannedFile => ({ ...file, path: file.path.slice(root.length) });
  return {
    root,
    files: [
      ...found.flatMap((graph) => [{ ...at(graph.file), path: graph.path }, ...graph.weights.map(at)]),
      ...small.map(at),
    ],
    missing: [...NETWORKS.filter((_, index) => !graphs[index]).map(graphPath), ...missingSmall(files, root)],
    weights: precision(found.map((graph) => graph.file.path)),
  };
}

/** A folder of diffusers. */
function readCheckpoint(files: Files, root: string, choice: WeightChoice): Candidate {
  const parts = checkpointWeights([...files.values()], root, choice);
  const small = smallFiles.flatMap((path) => files.get(root + path) ?? []);
  const found = [...parts.flatMap((part) => part.files), ...small];
  const hasSecondEncoder = [...files.keys()].some((path) => path.startsWith(`${root}text_encoder_2/`));
  return {
    root,
    files: found.map((file) => ({ ...file, path: file.path.slice(root.length) })),
    missing: [
      ...(hasSecondEncoder ? ['model with one text encoder'] : parts.flatMap((part) => part.missing)),
      ...missingSmall(files, root),
    ],
    weights: parts.every(({ weights }) => weights === 'half') ? 'half' : null,
  };
}

interface Graph {
  readonly file: ListedFile;
  /** Where the studio looks for it, whichever variant it is; weights keep the names that the graph calls them by. */
  readonly path: string;
  readonly weights: readonly ListedFile[];
}

function findGraph(files: Files, root: string, part: string, choice: WeightChoice): Graph | null {
  for (const name of graphNames(choice)) {
    const file = files.get(`${root}${part}/${name}`);
    if (!file) continue;
    const firsts = weightNames(name).map((weight) => `${root}${part}/${weight}`);
    const isWeights = (path: string) => firsts.some((first) => path === first || isNumbered(path, first));
    return {
      file,
      path: graphPath(part),
      weights: [...files.values()].filter(({ path }) => isWeights(path)),
    };
  }
  return null;
}

/** `model.onnx_data_1`, `_2` … beside `model.onnx_data`. */
const isNumbered = (path: string, first: string) =>
  path.startsWith(`${first}_`) && /^\d+$/.test(path.slice(first.length + 1));

function missingSmall(files: Files, root: string): string[] {
  const has = (path: string) => files.has(root + path);
  const tokenizer = has(layout.tokenizer) || (has(layout.vocabulary) && has(layout.merges));
  return [
    ...(has(layout.scheduler) ? [] : [layout.scheduler]),
    ...(tokenizer ? [] : [`${layout.tokenizer} (or vocab.json with merges.txt)`]),
  ];
}

function precision(paths: readonly string[]): WeightChoice | null {
  return paths.length > 0 && paths.every((path) => /fp16|float16/i.test(path)) ? 'half' : null;
}

/** Lower is better: the wanted precision in the name of the folder, then the folder nearest to the top. */
function rank({ root, weights }: Candidate, choice: WeightChoice): number {
  const wanted = (choice === 'half') === (weights === 'half');
  return (wanted ? 0 : 1000) + root.length;
}

function describe({ files, weights }: Candidate): Layout {
  const paths = new Set(files.map(({ path }) => path));
  const isOnnx = paths.has(graphPath('unet'));
  const absent = NETWORKS.map(configPath).filter((path) => isOnnx && !paths.has(path));
  const notes = absent.length
    ? [`There is no ${absent.join(', ')}: sizes are taken from the graphs themselves.`]
    : [];
  return { files, weights, notes };
}

function layoutError(listing: readonly ListedFile[], { missing }: Candidate, where: string): AppError {
  const needed = missing.join(', ');
  return new AppError(
    'model.layout',
    `Expected Stable Diffusion 1.x or 2.x in diffusers’ or ONNX layout, found no ${needed} in ${where}. ${adviceFor(listing)}`,
  );
}

function adviceFor(listing: readonly ListedFile[]): string {
  const has = (pattern: RegExp) => listing.some(({ path }) => pattern.test(path));
  const look =
    'The studio reads folders of diffusers (unet, vae, text_encoder with .safetensors) and of ONNX (unet, text_encoder, vae_encoder, vae_decoder, ' +
    'each with a model.onnx), beside tokenizer and scheduler';
  if (has(/(^|\/)(text_encoder_2|transformer)\//))
    return 'It looks like Stable Diffusion XL or newer, which the studio does not run; 1.x and 2.x it does.';
  if (!has(/\.(onnx|safetensors)$/) && has(/\.(bin|ckpt|pt)$/))
    return `There are only PyTorch pickles, which may run programs: choose its .safetensors files. ${look}.`;
  if (!has(/\.(onnx|safetensors)$/)) return `There is no .safetensors or ONNX file at all. ${look}.`;
  return `${look}.`;
}
