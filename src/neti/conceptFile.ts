/**
 * A learned concept as one safetensors file: the mapper under the official implementation's tensor names and its frozen
 * frequencies `encoder.w`, metadata by the ModelSpec convention (`modelspec.*`), and what only this method has as JSON
 * under `neti.*`. Reading checks everything, since files come from strangers: size, version, metadata, base
 * model, tensor shapes, the hash of the tensors' bytes, and that every number is finite.
 */
import { AppError } from '../lib/errors.ts';
import { numberToHalf } from '../lib/half.ts';
import {
  readSafetensors,
  replaceMetadata,
  tensorBytes,
  toFloat32,
  writeSafetensors,
  type Safetensors,
  type StoredTensor,
  type WrittenTensor,
} from '../lib/safetensors.ts';
import { sha256Hex } from '../lib/sha256.ts';
import type { TrainingStart } from '../lib/trainingStart.ts';
import type { AdamWState } from '../gpu/adamw.ts';
import {
  conceptInfo,
  corrupt,
  labelled,
  readMetadata,
  writeMetadata,
  type ConceptInfo,
  type ConceptLabel,
  type ConceptMetadata,
  type LossSummary,
  type MetadataDraft,
  type TrainingPosition,
} from './conceptMetadata.ts';
import { MAX_CONCEPT_BYTES } from './limits.ts';
import { checkConfig, parameterShapes, stateShapes, type MapperConfig } from './mapperConfig.ts';
import type { MapperState } from './mapper.ts';

const HASH_KEY = 'modelspec.hash_sha256';
const STEP = 'adamw.step';
const FIRST_MOMENT = 'adamw.m.';
const SECOND_MOMENT = 'adamw.v.';

/** A concept about to be written. */
export interface ConceptDraft extends MetadataDraft {
  readonly state: MapperState;
  /** Lets a further training go on exactly; triples the file. */
  readonly optimizer?: AdamWState;
  /** Whether what was learned is rounded to half precision: half the file. */
  readonly half?: boolean;
}

/** A concept read from a file, after all checks. */
export interface Concept {
  readonly config: MapperConfig;
  readonly state: MapperState;
  readonly info: ConceptInfo;
  readonly training: {
    readonly seed: number | null;
    readonly learningRate: number | null;
    readonly losses: LossSummary | null;
    /** What its first training began with, where that is said. */
    readonly start: TrainingStart | null;
  };
  /** Null when the file carries none. */
  readonly optimizer: AdamWState | null;
  /** Of files with the optimizer's state; older ones have none. */
  readonly position: TrainingPosition | null;
}

export interface BaseIdentity {
  readonly id: string;
  /** Hex SHA-256. */
  readonly hash: string;
}

/** The bytes of a concept file. Throws `concept.size` or `concept.draft` where a reader would refuse it. */
export async function writeConcept(draft: ConceptDraft): Promise<Uint8Array<ArrayBuffer>> {
  const tensors = new Map([...stateTensors(draft), ...optimizerTensors(draft)]);
  const metadata = writeMetadata(draft);
  metadata.set(HASH_KEY, `0x${await sha256Hex(tensorBytes(tensors))}`);
  const file = writeSafetensors(tensors, metadata);
  checkSize(file);
  return file;
}

/**
 * Reads and checks a concept file.
 * Throws `concept.size` (over 64 MB, or tensors that do not fit the configuration), `concept.version`,
 * `concept.corrupt`, and `concept.base` when `expectedBase` is another model than the concept was learned on.
 */
export async function readConcept(file: Uint8Array, expectedBase?: BaseIdentity): Promise<Concept> {
  const { contents, metadata } = await open(file);
  if (expectedBase) checkBase(metadata, expectedBase);
  const { configuration: config, training } = metadata;
  const shapes = stateShapes(config);
  const moments = optimizerShapes(config, contents);
  checkNames(contents, [...shapes.keys(), ...moments.keys()]);
  const { seed, learningRate, losses, start } = training;
  return {
    config,
    state: readTensors(contents, shapes),
    info: conceptInfo(metadata),
    training: { seed, learningRate, losses, start },
    optimizer: moments.size > 0 ? optimizerState(readTensors(contents, moments)) : null,
    position: metadata.position,
  };
}

/** The same concept under another name and thumbnail (a picture's data URL, or empty). Throws as `readConcept`. */
export async function relabelConcept(
  file: Uint8Array,
  label: ConceptLabel,
): Promise<Uint8Array<ArrayBuffer>> {
  const { contents, metadata } = await open(file);
  const relabelled = replaceMetadata(file, labelled(contents.metadata, metadata, label));
  checkSize(relabelled);
  return relabelled;
}

async function open(file: Uint8Array): Promise<{ contents: Safetensors; metadata: ConceptMetadata }> {
  checkSize(file);
  const contents = asCorrupt(() => readSafetensors(file));
  const metadata = readMetadata(contents.metadata);
  asCorrupt(() => {
    checkConfig(metadata.configuration);
  });
  const hash = `0x${await sha256Hex(contents.data)}`;
  if (contents.metadata.get(HASH_KEY)?.toLowerCase() !== hash) {
    throw corrupt('its weights do not have the hash that it states');
  }
  return { contents, metadata };
}

function asCorrupt<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AppError) throw corrupt(error.message.replace(/\.$/, ''));
    throw error;
  }
}

function checkSize({ length }: Uint8Array): void {
  if (length <= MAX_CONCEPT_BYTES) return;
  const found = (length / 2 ** 20).toFixed(0);
  throw new AppError('concept.size', `A concept file has at most 64 MB, this one has ${found} MB.`);
}

function checkBase({ base }: ConceptMetadata, expected: BaseIdentity): void {
  if (base.hash === expected.hash) return;
  const version = base.id === expected.id ? 'another version of ' : '';
  throw new AppError(
    'concept.base',
    `This concept was learned on ${version}"${base.id}" and cannot be used with "${expected.id}". ` +
      `Open the model it belongs to, or train it again here.`,
  );
}

function checkNames(contents: Safetensors, expected: readonly string[]): void {
  for (const name of expected)
    if (!contents.tensors.has(name)) throw corrupt(`the tensor ${name} is missing`);
  const known = new Set(expected);
  for (const name of contents.tensors.keys()) {
    if (!known.has(name)) throw corrupt(`it has a tensor "${name.slice(0, 80)}" that no concept has`);
  }
}

function readTensors(
  { tensors }: Safetensors,
  shapes: ReadonlyMap<string, readonly number[]>,
): Map<string, Float32Array<ArrayBuffer>> {
  // All shapes first, so that nothing is copied for a file that will be refused.
  for (const [name, shape] of shapes) checkShape(name, tensors.get(name)!, shape);
  return new Map([...shapes.keys()].map((name) => [name, finite(name, tensors.get(name)!)]));
}

function checkShape(name: string, tensor: StoredTensor, shape: readonly number[]): void {
  if (tensor.shape.length === shape.length && tensor.shape.every((extent, i) => extent === shape[i])) return;
  throw new AppError(
    'concept.size',
    `This concept file is inconsistent: ${name} should have shape [${shape.join(', ')}], ` +
      `but has [${tensor.shape.join(', ')}]. Export it again.`,
  );
}

function finite(name: string, tensor: StoredTensor): Float32Array<ArrayBuffer> {
  const values = asCorrupt(() => toFloat32(tensor));
  if (!values.every(Number.isFinite)) throw corrupt(`${name} holds numbers that are not finite`);
  return values;
}

function* stateTensors({ config, state, half }: ConceptDraft): Generator<[string, WrittenTensor]> {
  const learned = parameterShapes(config);
  for (const [name, shape] of stateShapes(config)) {
    const values = required(state, name);
    // The frequencies are few, and multiplied by a thousand timesteps.
    yield [
      name,
      { shape, values: half && learned.has(name) ? Uint16Array.from(values, numberToHalf) : values },
    ];
  }
}

function* optimizerTensors({ config, optimizer }: ConceptDraft): Generator<[string, WrittenTensor]> {
  if (!optimizer) return;
  yield [STEP, { shape: [1], values: Float32Array.of(optimizer.step) }];
  for (const [name, shape] of parameterShapes(config)) {
    yield [FIRST_MOMENT + name, { shape, values: required(optimizer.m, name) }];
    yield [SECOND_MOMENT + name, { shape, values: required(optimizer.v, name) }];
  }
}

function required(tensors: MapperState, name: string): Float32Array<ArrayBuffer> {
  const values = tensors.get(name);
  if (values) return values;
  throw new AppError('concept.draft', `The concept cannot be saved: its tensor ${name} is missing.`);
}

/** The optimizer's tensors, all or none: a file with a step count has all of them. */
function optimizerShapes(config: MapperConfig, { tensors }: Safetensors): Map<string, readonly number[]> {
  if (!tensors.has(STEP)) return new Map();
  const moments = [...parameterShapes(config)].flatMap(([name, shape]) => [
    [FIRST_MOMENT + name, shape] as const,
    [SECOND_MOMENT + name, shape] as const,
  ]);
  return new Map<string, readonly number[]>([[STEP, [1]], ...moments]);
}

function optimizerState(tensors: ReadonlyMap<string, Float32Array<ArrayBuffer>>): AdamWState {
  const step = tensors.get(STEP)![0]!;
  if (!Number.isSafeInteger(step) || step < 0) throw corrupt(`its optimizer has made ${step} steps`);
  const starting = (prefix: string) =>
    new Map(
      [...tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, values]) => [name.slice(prefix.length), values]),
    );
  const [m, v] = [starting(FIRST_MOMENT), starting(SECOND_MOMENT)];
  if ([...v.values()].some((values) => values.some((value) => value < 0))) {
    throw corrupt('its optimizer holds a negative second moment');
  }
  return { step, m, v };
}
