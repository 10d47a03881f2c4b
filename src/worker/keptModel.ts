/**
 * The user's own base model, kept in this browser as it was published. The graphs that train a concept are compiled from it
 * when it is first opened, and again when they are of an older compiler; they are kept beside it.
 */
import { AppError } from '../lib/errors.ts';
import { hashBase } from '../lib/manifest.ts';
import { readJson, type OpenFile } from '../lib/modelFiles.ts';
import { prepareJudge } from '../onnx/judge.ts';
import type { CompileOptions } from '../onnx/options.ts';
import { isCurrent, MANIFEST_PATH, prepareModel, type PreparedManifest } from '../onnx/model.ts';
import type { StoredModel } from '../storage/modelRecords.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import type { LoadProgress } from './api.ts';
import { compileOptions } from './compileOptions.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { hasJudge, readWords, type BaseModel } from './baseModel.ts';

export interface OpenKeptOptions {
  /** Whether the engine that will run it computes in half precision. */
  readonly half: boolean;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
}

/** Throws `model.none`, `model.damaged`, `onnx/…` when it is not of Stable Diffusion's form, and `cancelled`. */
export async function openKeptModel(
  store: ModelStore,
  id: string,
  { half, signal, onProgress }: OpenKeptOptions,
): Promise<BaseModel> {
  const model = await findModel(store, id);
  const open: OpenFile = (path) => store.openFile(id, path);
  const options = compileOptions(model.bytes, half);
  if (!(await isPrepared(open, options))) {
    onProgress({ status: 'prepare', file: model.title, loaded: model.bytes, total: model.bytes });
    await store.writePrepared(id, await prepare(model, open, options, signal));
  }
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

async function isPrepared(open: OpenFile, options: CompileOptions): Promise<boolean> {
  // Written by this program beside the model; another form means another version.
  const manifest = (await readJson(open, MANIFEST_PATH)) as PreparedManifest | null;
  return manifest !== null && isCurrent(manifest, open, options);
}

async function prepare(
  { files }: StoredModel,
  open: OpenFile,
  options: CompileOptions,
  signal: AbortSignal,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  // Lets a cancellation in before the work, which cannot be interrupted, and heeds it before the result is kept.
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
  const prepared = [
    ...(await prepareModel(open, options)),
    ...(hasJudge(files) ? await prepareJudge(open) : []),
  ];
  await new Promise((resolve) => setTimeout(resolve));
  signal.throwIfAborted();
  return new Map(prepared.map(([path, bytes]) => [path, new Uint8Array(bytes)]));
}
