/** Plans a model from a folder or from files of the user's own disk, dropped or chosen. */
import { planFromFiles, type ReadMerges } from './checkpointFile.ts';
import { checkpointRoots } from './checkpointFolder.ts';
import { chooseFiles, type ListedFile } from './chooseFiles.ts';
import { makePlan, type ModelPlan, type WeightChoice } from './plan.ts';

/** A file of a folder with its path in it, the folder's own name first (as `webkitRelativePath` has it) or not. */
export interface FolderFile {
  readonly path: string;
  readonly file: File;
}

/** Deeper than any model's layout: a whole disk dropped by mistake is not walked through. */
const DEEPEST = 5;

/** Throws `model.layout`, naming what the folder lacks, and what `planFromFiles` throws for files that are no model's folder. */
export async function planFromFolder(
  folder: readonly FolderFile[] | readonly File[] | FileSystemDirectoryHandle,
  options: { readonly weights?: WeightChoice; readonly readMerges?: ReadMerges } = {},
): Promise<ModelPlan> {
  const files = 'kind' in folder ? await walk(folder, `${folder.name}/`, DEEPEST) : folder.map(withPath);
  const listing = files.map(listed);
  const loose = looseFiles(files, listing);
  if (loose.length) return planFromFiles(loose, options.readMerges);
  const name = files[0]?.path.split('/')[0] ?? 'the folder';
  const licence = listing.find(({ path }) => /(^|\/)licen[cs]e[^/]*$/i.test(path));
  return makePlan({
    title: name,
    source: { kind: 'folder', name },
    licence: licence ? { name: licence.path.split('/').at(-1)!, url: null } : null,
    ...chooseFiles(listing, options.weights ?? 'half', `"${name}"`),
  });
}

/** Files that were chosen by themselves, or lie in a folder that is none of a model's but holds models. */
function looseFiles(files: readonly FolderFile[], listing: readonly ListedFile[]): File[] {
  if (files.length && files.every(({ path }) => !path.includes('/'))) return files.map(({ file }) => file);
  const isModel = checkpointRoots(listing).length > 0 || listing.some(({ path }) => path.endsWith('.onnx'));
  const models = files.filter(
    ({ path }) => /\.(safetensors|ckpt)$/i.test(path) && !/\/(unet|transformer)\//.test(path),
  );
  return isModel ? [] : models.map(({ file }) => file);
}

const withPath = (file: FolderFile | File): FolderFile =>
  file instanceof File ? { file, path: file.webkitRelativePath || file.name } : file;

function listed({ path, file }: FolderFile): ListedFile {
  return { path, bytes: file.size, from: file, sha256: null, gitBlob: null };
}

async function walk(folder: FileSystemDirectoryHandle, prefix: string, depth: number): Promise<FolderFile[]> {
  const files: FolderFile[] = [];
  for await (const [name, handle] of folder.entries())
    if (handle instanceof FileSystemFileHandle)
      files.push({ path: prefix + name, file: await handle.getFile() });
    else if (handle instanceof FileSystemDirectoryHandle && depth > 0)
      files.push(...(await walk(handle, `${prefix}${name}/`, depth - 1)));
  return files;
}
