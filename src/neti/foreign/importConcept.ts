/**
 * Any file that holds a concept, as a concept file for the open base: our own as it is, official NeTI checkpoints and textual
 * inversions converted. What a file is, is read off its contents; its name only names the concept and its step.
 */
import { AppError } from '../../lib/errors.ts';
import { readSafetensors, type Safetensors } from '../../lib/safetensors.ts';
import { readTorchFile, TENSOR_GLOBALS, type TorchFile } from '../../lib/torchFile.ts';
import { MAX_CONCEPT_BYTES } from '../limits.ts';
import { foreignToConcept, type ForeignConcept, type OpenBase } from './foreignConcept.ts';
import {
  BASIC_ENCODER,
  checkPartner,
  isOfficialMapper,
  POSITIONAL_ENCODER,
  readOfficialMapper,
} from './officialMapper.ts';
import {
  isTextualInversion,
  PARAMETER_DICTIONARY,
  readTextualInversion,
  readTorchInversion,
} from './textualInversion.ts';

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
 * @returns a concept file; one of ours is returned unread, for `readConcept` to check.
 * Throws `concept.size`, `concept.width`, `pickle.*`, `torch.corrupt`, `official.*`, `inversion.*`, `mapper.config`.
 */
export async function importConcept(
  files: readonly NamedFile[],
  base: OpenBase,
  created: string,
): Promise<Uint8Array<ArrayBuffer>> {
  for (const { bytes } of files) checkSize(bytes);
  const foreign = readForeign(files, base);
  return foreign === null ? files[0]!.bytes : foreignToConcept(foreign, base, created);
}

function checkSize({ length }: Uint8Array): void {
  if (length > 0 && length <= MAX_CONCEPT_BYTES) return;
  throw new AppError(
    'concept.size',
    `A concept's file has between 1 byte and 64 MB, this one has ${length} bytes.`,
  );
}

/** Null for a concept file of ours, and for what is none of the formats. */
function readForeign(files: readonly NamedFile[], base: OpenBase): ForeignConcept | null {
  const [first] = files;
  if (files.length === 1 && first && !isTorchName(first.name)) {
    const safetensors = tryRead(first.bytes);
    const isForeign =
      safetensors && !safetensors.metadata.has('neti.format') && isTextualInversion(safetensors);
    return isForeign ? readTextualInversion(safetensors, first.name, base) : null;
  }
  return readTorch(
    files.map(({ name, bytes }) => ({ name, contents: readTorchFile(bytes, GLOBALS) })),
    base,
  );
}

export function isTorchName(name: string): boolean {
  return /\.(pt|bin)$/i.test(name);
}

function tryRead(bytes: Uint8Array): Safetensors | null {
  try {
    return readSafetensors(bytes);
  } catch {
    return null;
  }
}

interface NamedTorchFile {
  readonly name: string;
  readonly contents: TorchFile;
}

function readTorch(files: readonly NamedTorchFile[], base: OpenBase): ForeignConcept {
  const mapper = files.find(({ contents }) => isOfficialMapper(contents));
  const partner = files.find((each) => each !== mapper);
  if (!mapper) {
    if (files.length === 1) return readTorchInversion(files[0]!.contents, files[0]!.name, base);
    throw new AppError('official.corrupt', `${files[0]!.name} holds no mapper of the official NeTI code.`);
  }
  const concept = readOfficialMapper(mapper.contents, mapper.name, base);
  if (!partner) return concept;
  checkPartner(mapper.contents, partner.contents, partner.name);
  return { ...concept, origin: { ...concept.origin, files: [mapper.name, partner.name] } };
}
