/** What files that somebody gives to the page are, by their contents: concepts, pictures, pictures with a concept in them. */
import { isTorchZip, unzip } from '../lib/archive.ts';
import { AppError } from '../lib/errors.ts';
import { fileKind, isPictureKind, KIND_BYTES, type FileKind } from '../lib/fileKind.ts';
import { conceptInPng } from '../pictures/pngConcept.ts';
import { CARD_KEYWORD, readPngText } from '../pictures/pngText.ts';
import { isConceptFile } from './importFiles.ts';

export interface Incoming {
  readonly concepts: readonly File[];
  readonly pictures: readonly File[];
  /** Pictures that carry a concept. */
  readonly cards: readonly File[];
  /** Zips that could not be read, or hold nothing of use. */
  readonly errors: readonly unknown[];
}

type Sort = 'concepts' | 'pictures' | 'cards' | 'zip' | 'nothing';

const MAX_ZIP_BYTES = 300e6;

/** Zips are opened; what is neither a concept nor a picture is taken for what its name says, and refused there by its kind. */
export async function sortFiles(files: readonly File[]): Promise<Incoming> {
  const found: Record<'concepts' | 'pictures' | 'cards', File[]> = { concepts: [], pictures: [], cards: [] };
  const errors: unknown[] = [];
  for (const file of files) {
    try {
      const sort = await sortOf(file);
      if (sort === 'zip') for (const [name, inner] of await insideOf(file)) found[name].push(...inner);
      else found[sort === 'nothing' ? named(file) : sort].push(file);
    } catch (error) {
      errors.push(error);
    }
  }
  return { ...found, errors };
}

const named = (file: File) => (isConceptFile(file) ? 'concepts' : 'pictures');

async function sortOf(file: File): Promise<Sort> {
  const kind = fileKind(await bytesOf(file.slice(0, KIND_BYTES)));
  if (kind === 'zip') return isTorchZip(await bytesOf(file.slice(0, KIND_BYTES))) ? 'concepts' : 'zip';
  if (kind === 'png' && carriesConcept(await bytesOf(file))) return 'cards';
  if (isPictureKind(kind)) return 'pictures';
  return isConceptKind(kind) ? 'concepts' : 'nothing';
}

const carriesConcept = (png: Uint8Array) =>
  readPngText(png, CARD_KEYWORD) !== null || conceptInPng(png) !== null;

const isConceptKind = (kind: FileKind) => kind === 'safetensors' || kind === 'pickle';

/** A download of a model site shows its concept in a picture beside it: that is not one to learn from. */
async function insideOf(file: File): Promise<['concepts' | 'pictures' | 'cards', File[]][]> {
  if (file.size > MAX_ZIP_BYTES)
    throw new AppError(
      'archive.large',
      `“${file.name}” is larger than 300 MB. Unpack it and choose from its files.`,
    );
  const sorted: Record<Sort, File[]> = { concepts: [], pictures: [], cards: [], zip: [], nothing: [] };
  for (const [name, content] of unzip(await bytesOf(file), file.name)) {
    const inner = new File([content], name);
    sorted[await sortOf(inner)].push(inner);
  }
  if (sorted.concepts.length > 0) return [['concepts', sorted.concepts]];
  if (sorted.pictures.length + sorted.cards.length > 0)
    return [
      ['pictures', sorted.pictures],
      ['cards', sorted.cards],
    ];
  throw new AppError('archive.nothing', `“${file.name}” is a zip without a concept or a picture in it.`);
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer());
}
