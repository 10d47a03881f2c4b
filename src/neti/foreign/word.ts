/** A word of V vectors of D numbers each, as some file holds it, and the concept that it makes: a table [D, V]. */
import { AppError } from '../../lib/errors.ts';
import { toFloat32, type StoredTensor } from '../../lib/safetensors.ts';
import { MAX_TRAINED_STEPS } from '../limits.ts';
import { checkRoom } from '../mapperConfig.ts';
import { variantConfig } from '../variants.ts';
import { checkFit, DEFAULT_CATEGORY, nameOf, type ForeignConcept, type OpenBase } from './foreignConcept.ts';

export interface Word {
  readonly shape: readonly number[];
  /** Copied only once the shape was found to fit: a few bytes may claim to be a large tensor. */
  readonly tensor: () => StoredTensor;
  /** As the file calls it; its own name stands where that says nothing. */
  readonly name: string;
  readonly step: number;
  readonly namedBase: string | null;
}

/**
 * Throws `inversion.corrupt`, `concept.width` when the vectors do not fit the base, and `concept.vectors` when there are more than its
 * prompts have room for.
 */
export function wordToConcept(
  { shape, tensor, name, step, namedBase }: Word,
  fileName: string,
  base: OpenBase,
): ForeignConcept {
  const [vectors, width] = shape.length === 1 ? [1, shape[0]] : shape;
  if (shape.length > 2 || !vectors || !width) {
    throw corruptInversion(`expected vectors of shape [D] or [V, D], found [${shape.join(', ')}]`);
  }
  checkFit({ contextWidth: width }, base, namedBase);
  checkRoom(vectors, base.tokens);
  const word = toFloat32(tensor());
  if (!word.every(Number.isFinite)) throw corruptInversion('it holds numbers that are not finite');
  return {
    config: { ...variantConfig('textual-inversion', base.layers, word.subarray(0, width)), vectors },
    state: new Map([['vectors', transposed(word, vectors)]]),
    name: nameOf(name, stem(fileName)),
    category: DEFAULT_CATEGORY,
    kind: 'object',
    step,
    seed: null,
    learningRate: null,
    origin: { format: 'textual-inversion', files: [fileName], base: namedBase },
  };
}

/** A file's name without its ending. */
export function stem(fileName: string): string {
  return (
    fileName
      .replace(/\.[^.]*$/, '')
      .slice(0, 200)
      .trim() || 'word'
  );
}

/** Rows [R, C] as [C, R]. */
export function transposed(values: Float32Array, rows: number): Float32Array<ArrayBuffer> {
  const columns = values.length / rows;
  return Float32Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

/** A step as a file states it, none where it is no whole number. */
export function stepOf(step: number | null): number {
  return step !== null && Number.isSafeInteger(step) && step >= 0 ? Math.min(step, MAX_TRAINED_STEPS) : 0;
}

export function corruptInversion(problem: string): AppError {
  return new AppError('inversion.corrupt', `This is not a textual inversion: ${problem}.`);
}
