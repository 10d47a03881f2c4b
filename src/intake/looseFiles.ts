/** Single checkpoints in a listing that is no model's folder. */
import type { LooseFile } from './checkpointFile.ts';
import { checkpointRoots } from './checkpointFolder.ts';
import { fetchOutline } from './outline.ts';
import type { PlannedFile } from './plan.ts';
import type { RequestOptions } from './request.ts';

/** Called as models are; the contents decide. */
export const MODEL_NAME = /\.(safetensors|ckpt|pt|pth|gguf)$/i;

/** None where there is a model's folder; what lies in a part's folder belongs to that. */
export function looseIn<File extends Pick<PlannedFile, 'path'>>(
  listing: readonly File[],
  asListed: readonly PlannedFile[],
): File[] {
  const isFolder =
    checkpointRoots(asListed).length > 0 || asListed.some(({ path }) => path.endsWith('.onnx'));
  if (isFolder) return [];
  return listing.filter(({ path }) => MODEL_NAME.test(path) && !PART.test(path));
}

const PART =
  /(^|\/)(unet|transformer|vae(_encoder|_decoder)?|text_encoder(_2)?|safety_checker|image_encoder|scheduler|tokenizer)\//;

/** The model's folder in which a file of it lies. */
export function folderOf(path: string): string {
  const home = path.slice(0, path.lastIndexOf('/') + 1).replace(PART, '$1');
  return home.replace(/\/$/, '');
}

/** A file elsewhere, of which the start is fetched when it is looked into. Throws what `fetchOutline` throws. */
export function listedFile(file: PlannedFile, options: RequestOptions): LooseFile {
  const { from } = file;
  const start = async () =>
    typeof from === 'string' ? ((await fetchOutline(from, options)) ?? new Blob([])) : from;
  return { ...file, start };
}
