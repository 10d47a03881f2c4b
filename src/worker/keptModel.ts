/**
 * The user's own base model, kept in this browser as it was published. The graphs that train a concept are compiled from it
 * when it is first opened, and again when they are of an older compiler; they are kept beside it.
 */
import { AppError } from '../lib/errors.ts';
import { hashBase } from '../lib/manifest.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import { JUDGE_PARTS, NETWORKS, preparedManifest, preparedSchema } from '../lib/modelLayout.ts';
import { isCheckpoint, openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { prepareJudge } from '../onnx/judge.ts';
import type { CompileOptions, OnGraph } from '../onnx/options.ts';
import { isCurrent, prepareModel } from '../onnx/model.ts';
import type { StoredModel } from '../storage/modelRecords.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import type { LoadProgress } from './api.ts';
import { compileOptions } from '../intake/compileOptions.ts';
import { throwIfCancelled } from '../lib/cancellation.ts';
import { hasJudge, hasStartingMapper, readWords, type BaseModel } from './baseModel.ts';

export interface OpenKeptOptions {
  /** Whether the engine that will run it computes in half precision. */
  readonly half: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
}

/** Throws `model.none`, `model.damaged`, `onnx.…` and `checkpoint.…` when it is not of Stable Diffusion's form, and `cancelled`. */
export async function openKeptModel(
  store: ModelStore,
  id: string,
  { half, signal, onProgress }: OpenKeptOptions,
): Promise<BaseModel> {
  const model = await findModel(store, id);
  const open = await openStock(store, model);
  const options = compileOptions(model.bytes, half);
  if (!(await isPrepared(open, options)))
    await store.writePrepared(id, await prepare(model, open, options, { signal, onProgress }));
  return {
    id: model.title,
    title: model.title,
    hash: await hashBase(model.files),
    keptId: id,
    words: await readWords(open),
    defaults: await readDefaults(open),
    open,
    bytes: model.bytes,
    judged: hasJudge(model.files),
    startingMapper: hasStartingMapper(model.files),
    samples: [],
  };
}

async function findModel(store: ModelStore, id: string): Promise<StoredModel> {
  const model = (await store.list()).find((each) => each.id === id);
  if (model) return model;
  throw new AppError(
    'model.none',
    'The model that was open here is no longer kept in this browser. Get it again.',
  );
}

/** The model's files as an ONNX folder: of a checkpoint, the graphs are written over them. */
async function openStock(store: ModelStore, { id, files }: StoredModel): Promise<OpenFile> {
  const open: OpenFile = (path) => store.openFile(id, path);
  const paths = files.map(({ path }) => path);
  return isCheckpoint(paths) ? openCheckpoint(paths, open) : open;
}

async function isPrepared(open: OpenFile, options: CompileOptions): Promise<boolean> {
  // Another form means another version of this program.
  const manifest = preparedSchema.safeParse(await readJson(open, preparedManifest)).data;
  return manifest !== undefined && isCurrent(manifest, open, options);
}

async function prepare(
  { files }: StoredModel,
  open: OpenFile,
  options: CompileOptions,
  progress: Pick<OpenKeptOptions, 'signal' | 'onProgress'>,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const judged = hasJudge(files);
  const onGraph = follow(NETWORKS.length + (judged ? JUDGE_PARTS.length : 0), progress);
  const prepared = [
    ...(await prepareModel(open, options, onGraph)),
    ...(judged ? await prepareJudge(open, onGraph) : []),
  ];
  await throwIfCancelled(progress.signal);
  return new Map(prepared.map(([path, bytes]) => [path, new Uint8Array(bytes)]));
}

const PART_NAMES: Readonly<Record<string, string>> = {
  unet: 'the U-Net',
  text_encoder: 'the text encoder',
  vae_encoder: 'the picture encoder',
  vae_decoder: 'the picture decoder',
};

/** Tells which of `total` graphs is next, and stops before it when that was asked for. */
function follow(
  total: number,
  { signal, onProgress }: Pick<OpenKeptOptions, 'signal' | 'onProgress'>,
): OnGraph {
  let loaded = 0;
  return async (part) => {
    onProgress({ status: 'prepare', part: PART_NAMES[part] ?? 'the judge', loaded: loaded++, total });
    await throwIfCancelled(signal);
  };
}
