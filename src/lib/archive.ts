/** Zips that people bring and take away: their files in memory, within bounds. */
import { unzipSync, zipSync, type UnzipFileInfo } from 'fflate';
import { AppError } from './errors.ts';

const MAX_ENTRIES = 1000;
/** All files together, unpacked. */
const MAX_BYTES = 300e6;

/** The files of a zip by their names without folders. Throws `archive.large` or `archive.damaged`. */
export function unzip(bytes: Uint8Array, name: string): Map<string, Uint8Array<ArrayBuffer>> {
  let [total, count] = [0, 0];
  const filter = ({ name: path, originalSize }: UnzipFileInfo): boolean => {
    if (isHidden(path)) return false;
    [total, count] = [total + originalSize, count + 1];
    if (total > MAX_BYTES || count > MAX_ENTRIES)
      throw new AppError(
        'archive.large',
        `“${name}” holds more than ${MAX_ENTRIES} files or 300 MB. Unpack it and choose from its files.`,
      );
    return true;
  };
  try {
    const files = Object.entries(unzipSync(bytes, { filter }));
    return new Map(
      files.map(([path, content]) => [path.slice(path.lastIndexOf('/') + 1), new Uint8Array(content)]),
    );
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'archive.damaged',
      `“${name}” is a zip that is damaged, cut short or encrypted. Download it again, or unpack it first.`,
      { cause: error },
    );
  }
}

/** A zip of files that are compressed as well as they can be already. */
export function zip(files: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zipSync(Object.fromEntries(files), { level: 0 }));
}

/** Folders, and what systems leave behind. */
function isHidden(path: string): boolean {
  return path.endsWith('/') || /(^|\/)(\.|__MACOSX\/)/.test(path);
}

const NAME_LENGTH = 26;
const NAME = 30;

/** Whether a zip is torch's own format rather than a folder of files: its pickle is the first entry. */
export function isTorchZip(head: Uint8Array): boolean {
  if (head.length < NAME) return false;
  const length = new DataView(head.buffer, head.byteOffset).getUint16(NAME_LENGTH, true);
  const name = new TextDecoder().decode(head.subarray(NAME, NAME + length));
  return /^[^/]+\/data\.pkl$/.test(name);
}
