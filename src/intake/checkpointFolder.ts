/** Picks from a listing the files of a diffusers folder: each part's weights in one precision, their configurations, tokenizer and scheduler. */
import { CHECKPOINT_FOLDER, type Network } from '../lib/modelLayout.ts';
import type { PlannedFile, WeightChoice } from './plan.ts';

/** `model.safetensors`, `diffusion_pytorch_model.fp16.safetensors`, and shards, whose number stands before or after the variant. */
const WEIGHTS =
  /^(?:model|diffusion_pytorch_model)(?:\.([\w-]+?))?(?:-(\d{5})-of-(\d{5}))?(?:\.([\w-]+))?\.safetensors$/;

/** Averages of the training and what drawing does not use. */
const UNWANTED = /ema/;

export interface CheckpointPart {
  readonly files: readonly PlannedFile[];
  readonly weights: WeightChoice | null;
  /** What is missing of it, as a path. */
  readonly missing: readonly string[];
}

const folders = [...new Set(Object.values<string>(CHECKPOINT_FOLDER))];

/** Each part's weights below `root`, in the precision asked for where there are both. */
export function checkpointWeights(
  listing: readonly PlannedFile[],
  root: string,
  choice: WeightChoice,
): CheckpointPart[] {
  return folders.map((folder) => partOf(listing, `${root}${folder}/`, folder as Network, choice));
}

/** Folders in which weights of diffusers' names lie below `unet/`. */
export function checkpointRoots(listing: readonly PlannedFile[]): string[] {
  const found = listing.map(({ path }) => /^(.*\/)?unet\/([^/]+)$/.exec(path));
  return [
    ...new Set(
      found.filter((match) => match !== null && WEIGHTS.test(match[2]!)).map((match) => match![1] ?? ''),
    ),
  ];
}

function partOf(
  listing: readonly PlannedFile[],
  prefix: string,
  folder: string,
  choice: WeightChoice,
): CheckpointPart {
  const variants = new Map<string, { file: PlannedFile; of: number }[]>();
  for (const file of listing) {
    const name = file.path.startsWith(prefix) ? WEIGHTS.exec(file.path.slice(prefix.length)) : null;
    if (!name) continue;
    const variant = name[1] ?? name[4] ?? '';
    variants.set(variant, [...(variants.get(variant) ?? []), { file, of: Number(name[3] ?? 1) }]);
  }
  const order = choice === 'half' ? ['fp16', 'bf16', ''] : ['', 'bf16', 'fp16'];
  const rank = (variant: string) =>
    order.includes(variant) ? order.indexOf(variant) : UNWANTED.test(variant) ? 9 : 8;
  const whole = [...variants]
    .filter(([, shards]) => shards.some(({ of }) => of === shards.length))
    .sort(([a], [b]) => rank(a) - rank(b));
  const [best] = whole;
  if (!best) return { files: [], weights: null, missing: [missingIn(folder, [...variants.values()][0])] };
  const [variant, shards] = best;
  return { files: shards.map(({ file }) => file), weights: variant === 'fp16' ? 'half' : null, missing: [] };
}

function missingIn(folder: string, shards: readonly { readonly of: number }[] | undefined): string {
  const name = stemOf(folder);
  if (!shards) return `${folder}/${name}.safetensors`;
  return `${shards[0]!.of - shards.length} of the ${shards[0]!.of} files of ${folder}/${name}`;
}

/** Where each part's whole weights may be, the preferred first. */
export function weightPaths(choice: WeightChoice): string[][] {
  const variants = choice === 'half' ? ['.fp16', ''] : ['', '.fp16'];
  return folders.map((folder) =>
    variants.map((variant) => `${folder}/${stemOf(folder)}${variant}.safetensors`),
  );
}

const stemOf = (folder: string) => (folder === 'text_encoder' ? 'model' : 'diffusion_pytorch_model');
