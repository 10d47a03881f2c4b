/**
 * Any file that holds concepts, as concept files for the open base: our own as they are, official NeTI checkpoints and textual
 * inversions converted. What a file is, is read off its contents; its name only names the concept and its step.
 */
import { AppError } from '../../lib/errors.ts';
import { fileKind, isPictureKind, kindWords } from '../../lib/fileKind.ts';
import { readSafetensors } from '../../lib/safetensors.ts';
import { readTorchFile, TENSOR_GLOBALS, type TorchFile } from '../../lib/torchFile.ts';
import { conceptInPng } from '../../pictures/pngConcept.ts';
import { MAX_CONCEPT_BYTES } from '../limits.ts';
import { readConceptCard } from './conceptCard.ts';
import { foreignToConcept, type ForeignConcept, type OpenBase } from './foreignConcept.ts';
import {
  BASIC_ENCODER,
  checkPartner,
  isOfficialMapper,
  POSITIONAL_ENCODER,
  readOfficialMapper,
} from './officialMapper.ts';
import { PARAMETER_DICTIONARY, readTextualInversion, readTorchInversion } from './textualInversion.ts';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const GLOBALS: ReadonlySet<string> = new Set([
  ...TENSOR_GLOBALS,
  POSITIONAL_ENCODER,
  BASIC_ENCODER,
  PARAMETER_DICTIONARY,
]);

/**
 * @param files one file, or a mapper and the embedding file beside it
 * @param created ISO-8601, for files that do not carry a date
 * @returns a concept file for each concept in them; one of ours is returned unread, for `readConcept` to check.
 * Throws `concept.kind`, `concept.size`, `concept.width`, `safetensors.corrupt`, `pickle.*`, `torch.corrupt`, `official.*`, `inversion.*`,
 * `mapper.config`.
 */
export async function importConcepts(
  files: readonly NamedFile[],
  base: OpenBase,
  created: string,
): Promise<Uint8Array<ArrayBuffer>[]> {
  for (const { bytes } of files) checkSize(bytes);
  const [first, ...rest] = files;
  if (!first) return [];
  const foreign = rest.length === 0 ? readOne(first, base) : [readPair(files.map(readTorch), base)];
  if (foreign instanceof Uint8Array) return [foreign];
  return Promise.all(foreign.map((concept) => foreignToConcept(concept, base, created)));
}

function checkSize({ length }: Uint8Array): void {
  if (length <= MAX_CONCEPT_BYTES) return;
  throw new AppError(
    'concept.size',
    `A concept's file has at most 64 MB, this one has ${(length / 2 ** 20).toFixed(0)} MB. A whole model is opened under the ` +
      "model's name at the top.",
  );
}

/** A concept file of ours as it is, one in a card of ours taken out. */
function readOne(file: NamedFile, base: OpenBase): ForeignConcept[] | Uint8Array<ArrayBuffer> {
  const { name, bytes } = file;
  const kind = fileKind(bytes);
  if (kind === 'safetensors') {
    const contents = readSafetensors(bytes);
    return contents.metadata.has('neti.format') ? bytes : readTextualInversion(contents, name, base);
  }
  if (kind === 'png') return conceptInPng(bytes) ?? [readConceptCard(bytes, name, base)];
  if (kind === 'zip' || kind === 'pickle') {
    const torch = readTorch(file);
    if (isOfficialMapper(torch.contents)) return [readOfficialMapper(torch.contents, name, base)];
    return readTorchInversion(torch.contents, name, base);
  }
  const advice = isPictureKind(kind) ? ' A picture is learned from: drop it on the pictures.' : '';
  throw new AppError('concept.kind', `It is ${kindWords(kind)}.${advice}`);
}

interface NamedTorchFile {
  readonly name: string;
  readonly contents: TorchFile;
}

function readTorch({ name, bytes }: NamedFile): NamedTorchFile {
  return { name, contents: readTorchFile(bytes, GLOBALS) };
}

function readPair(files: readonly NamedTorchFile[], base: OpenBase): ForeignConcept {
  const mapper = files.find(({ contents }) => isOfficialMapper(contents));
  const partner = files.find((each) => each !== mapper);
  if (!mapper || !partner) {
    throw new AppError('official.corrupt', `${files[0]!.name} holds no mapper of the official NeTI code.`);
  }
  const concept = readOfficialMapper(mapper.contents, mapper.name, base);
  checkPartner(mapper.contents, partner.contents, partner.name);
  return { ...concept, origin: { ...concept.origin, files: [mapper.name, partner.name] } };
}
