/** Plans a model from a folder or from files of the user's own disk, dropped or chosen. */
import { looseFile, planFromFiles, type ReadMerges } from './checkpointFile.ts';
import { chooseFiles, type ListedFile } from './chooseFiles.ts';
import { inListing, withNamedWeights } from './externalWeights.ts';
import { looseIn } from './looseFiles.ts';
import { makePlan, type ModelAnswers, type ModelPlan, type WeightChoice } from './plan.ts';

/** A file of a folder with its path in it, the folder's own name first (as `webkitRelativePath` has it) or not. */
export interface FolderFile {
  readonly path: string;
  readonly file: File;
}

/** Deeper than any model's layout: a whole disk dropped by mistake is not walked through. */
const DEEPEST = 5;

export interface FolderOptions extends ModelAnswers {
  readonly weights?: WeightChoice;
  readonly readMerges?: ReadMerges;
}

/**
 * Throws `model.layout`, naming what the folder lacks, the OpenQuestion `model.which` for several models' folders, and what
 * `planFromFiles` throws for files that are no model's folder.
 */
export async function planFromFolder(
  folder: readonly FolderFile[] | readonly File[] | FileSystemDirectoryHandle,
  options: FolderOptions = {},
): Promise<ModelPlan> {
  const files = 'kind' in folder ? await walk(folder, `${folder.name}/`, DEEPEST) : folder.map(withPath);
  const listing = files.map(listed);
  const loose = looseFiles(files, listing);
  if (loose.length)
    return planFromFiles(
      loose.map(({ file, path }) => looseFile(file, path)),
      options,
    );
  const name = files[0]?.path.split('/')[0] ?? 'the folder';
  const licence = listing.find(({ path }) => /(^|\/)licen[cs]e[^/]*$/i.test(path));
  const chosen = chooseFiles(listing, options.weights ?? 'half', `"${name}"`, options.pick);
  return makePlan({
    title: name,
    source: { kind: 'folder', name },
    licence: licence ? { name: licence.path.split('/').at(-1)!, url: null } : null,
    ...(await withNamedWeights(chosen, listing, inListing(listing))),
  });
}

/** Files that were chosen by themselves, or lie in a folder that is none of a model's but holds models. */
function looseFiles(files: readonly FolderFile[], listing: readonly ListedFile[]): readonly FolderFile[] {
  const areChosen = files.length > 0 && files.every(({ path }) => !path.includes('/'));
  return areChosen ? files : looseIn(files, listing);
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
