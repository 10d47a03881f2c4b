/**
 * A stock ONNX model as the compiler sees it: its structure, the values of small tensors, and the place of every
 * weight in its file. Weights are not read. What was read identifies the files: a prepared graph depends on nothing
 * else.
 */
import { fromBinary } from '@bufbuild/protobuf';
import { AppError } from '../lib/errors.ts';
import type { OpenFile } from '../lib/modelFiles.ts';
import type { Fingerprint } from '../lib/modelLayout.ts';
import { sizeOf } from '../lib/numbers.ts';
import { sha256Hex } from '../lib/sha256.ts';
import { ELEMENT_TYPES } from './elementTypes.ts';
import {
  ModelProtoSchema,
  TensorProto_DataLocation,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from './proto/onnx_pb.ts';
import { readSkeleton } from './skeleton.ts';
import { elementSize, isFloat } from './values.ts';

export interface Stock {
  /** Path from the model's folder, such as `unet/model.onnx`. */
  readonly path: string;
  readonly model: ModelProto;
  /** Bytes of small tensors that lie in files, by `placeKey`. */
  readonly values: ReadonlyMap<string, Uint8Array>;
  /** Large tensors of zeros alone, by `placeKey`: what exporters make of an addend that is not there. */
  readonly zeros: ReadonlySet<string>;
  /** The model's file and those of its external data, by path. */
  readonly sources: Readonly<Record<string, Fingerprint>>;
}

export interface Place {
  /** Path from the model's folder. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** Float tensors up to this many bytes may be scales or unit factors; larger ones are weights. */
const LARGEST_FLOATS = 1 << 10;
/** Integer tensors up to this many bytes may be shapes, positions or masks. */
const LARGEST_INTEGERS = 1 << 17;

/**
 * Reads a stock model. Throws AppError `onnx.parse`, and `onnx.externalData` when its weights are not where it says
 * or lie outside its folder.
 */
export async function readStock(path: string, open: OpenFile): Promise<Stock> {
  const file = await open(path);
  const { model, skeleton } = await parse(file, path);
  const files = new Map([[path, file]]);
  const known = new Map<string, Place>();
  const addends = new Map<string, Place>();
  for (const tensor of tensorsIn(model.graph!)) {
    const place = placeOf(tensor, path);
    if (!place) continue;
    await requirePlace(files, place, { path, open });
    if (isKnown(tensor, place)) known.set(placeKey(place), place);
    else if (isFixed(model) && isAddend(tensor)) addends.set(placeKey(place), place);
  }
  const values = await readValues(files, known);
  const zeros = await findZeros(files, addends);
  const sources = await fingerprints(files, { path, skeleton, known, values, zeros });
  return { path, model, values, zeros, sources };
}

/** Names of the files beside it in which a stock graph's weights lie. Throws AppError `onnx.parse` and `onnx.externalData`. */
export async function externalFiles(path: string, file: Blob): Promise<string[]> {
  const { model } = await parse(file, path);
  const places = [...tensorsIn(model.graph!)].map((tensor) => placeOf(tensor, path)?.location ?? path);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  return [...new Set(places)].filter((place) => place !== path).map((place) => place.slice(folder.length));
}

/** Whether the files are those that were compiled. */
export async function isUnchanged(
  sources: Readonly<Record<string, Fingerprint>>,
  path: string,
  open: OpenFile,
): Promise<boolean> {
  const { sources: found } = await readStock(path, open);
  return Object.entries(found).every(
    ([name, { bytes, sha256 }]) => sources[name]?.bytes === bytes && sources[name].sha256 === sha256,
  );
}

/** Number of the model's weights, in whichever precision its files have them. */
export function countWeights({ model }: Stock): number {
  return [...tensorsIn(model.graph!)]
    .filter(({ dataType }) => isFloating(dataType))
    .reduce((sum, { dims }) => sum + sizeOf(dims.map(Number)), 0);
}

function isFloating(dataType: number): boolean {
  const type = ELEMENT_TYPES[dataType as keyof typeof ELEMENT_TYPES];
  return type !== undefined && isFloat(type);
}

export function placeKey({ location, offset }: Place): string {
  return `${offset} ${location}`;
}

/** Where a tensor's bytes lie, unless they are in the tensor itself. */
export function placeOf(tensor: TensorProto, path: string): Place | undefined {
  if (tensor.dataLocation !== TensorProto_DataLocation.EXTERNAL) return undefined;
  const entries = new Map(tensor.externalData.map((entry) => [entry.key, entry.value]));
  const type = ELEMENT_TYPES[tensor.dataType as keyof typeof ELEMENT_TYPES];
  const size = type ? elementSize(type) * sizeOf(tensor.dims.map(Number)) : 0;
  return {
    location: inFolder(path, entries.get('location') ?? ''),
    offset: Number(entries.get('offset') ?? 0),
    length: Number(entries.get('length') ?? size),
  };
}

/** Path of a file beside `path`. */
function inFolder(path: string, name: string): string {
  const steps = name.split('/');
  const isSafe = !/[\\:]/.test(name) && !steps.includes('..') && steps.every((step) => step !== '');
  if (isSafe) return path.slice(0, path.lastIndexOf('/') + 1) + name;
  throw new AppError(
    'onnx.externalData',
    `expected weights beside ${path}, found that it places them at "${name}"; save it again with the weights in its own folder`,
  );
}

async function parse(file: Blob, path: string): Promise<{ model: ModelProto; skeleton: Uint8Array }> {
  try {
    const skeleton = await readSkeleton(file, path.slice(path.lastIndexOf('/') + 1));
    const model = fromBinary(ModelProtoSchema, skeleton);
    if (model.graph && model.opsetImport.length) return { model, skeleton };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const message = `expected an ONNX model in ${path}, found unreadable bytes; download it again`;
    throw new AppError('onnx.parse', message, { cause });
  }
  throw new AppError('onnx.parse', `expected an ONNX model in ${path}, found no graph in it`);
}

/** Tensors of a graph, its nodes' attributes and its branches. */
function* tensorsIn(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const { attribute } of graph.node)
    for (const { t, g } of attribute) {
      if (t) yield t;
      if (g) yield* tensorsIn(g);
    }
}

function isKnown({ dataType }: TensorProto, { length }: Place): boolean {
  const type = ELEMENT_TYPES[dataType as keyof typeof ELEMENT_TYPES];
  return type !== undefined && length <= (isFloat(type) ? LARGEST_FLOATS : LARGEST_INTEGERS);
}

/** Whether the model was exported for a fixed number of rows. */
function isFixed({ graph }: ModelProto): boolean {
  return graph!.input.some(({ type }) => {
    const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
    return tensor?.shape?.dim[0]?.value.case === 'dimValue';
  });
}

/** Rows of matrices, as attention's scores are; no weight of Stable Diffusion is of three dimensions. */
function isAddend({ dataType, dims }: TensorProto): boolean {
  return isFloating(dataType) && dims.length === 3;
}

const PIECE_BYTES = 1 << 22;

async function findZeros(
  files: ReadonlyMap<string, Blob>,
  places: ReadonlyMap<string, Place>,
): Promise<Set<string>> {
  const zeros = new Set<string>();
  for (const [key, { location, offset, length }] of places)
    if (await isZero(files.get(location)!.slice(offset, offset + length))) zeros.add(key);
  return zeros;
}

async function isZero(bytes: Blob): Promise<boolean> {
  for (let at = 0; at < bytes.size; at += PIECE_BYTES) {
    const piece = new Uint8Array(await bytes.slice(at, at + PIECE_BYTES).arrayBuffer());
    if (piece.some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** Opens the place's file, unless it is open, and checks that it is long enough. */
async function requirePlace(
  files: Map<string, Blob>,
  { location, offset, length }: Place,
  { path, open }: { readonly path: string; readonly open: OpenFile },
): Promise<void> {
  const file = files.get(location) ?? (await openWeights(location, path, open));
  files.set(location, file);
  if (offset + length <= file.size) return;
  throw new AppError(
    'onnx.externalData',
    `expected ${offset + length} bytes or more in ${location}, which holds weights of ${path}, found ${file.size}; download it again`,
  );
}

async function openWeights(location: string, path: string, open: OpenFile): Promise<Blob> {
  try {
    return await open(location);
  } catch (cause) {
    const message = `expected ${location}, which holds weights of ${path}, found none; add that file`;
    throw new AppError('onnx.externalData', message, { cause });
  }
}

async function readValues(
  files: ReadonlyMap<string, Blob>,
  known: ReadonlyMap<string, Place>,
): Promise<Map<string, Uint8Array>> {
  const read = async ([key, { location, offset, length }]: [string, Place]) => {
    const bytes = await files
      .get(location)!
      .slice(offset, offset + length)
      .arrayBuffer();
    return [key, new Uint8Array(bytes)] as const;
  };
  return new Map(await Promise.all([...known].map(read)));
}

/** What was read of a stock model. */
interface Read {
  readonly path: string;
  readonly skeleton: Uint8Array;
  readonly known: ReadonlyMap<string, Place>;
  readonly values: ReadonlyMap<string, Uint8Array>;
  readonly zeros: ReadonlySet<string>;
}

async function fingerprints(
  files: ReadonlyMap<string, Blob>,
  { path, skeleton, known, values, zeros }: Read,
): Promise<Record<string, Fingerprint>> {
  const found: [string, Fingerprint][] = [];
  for (const [location, { size }] of files) {
    const own = [...known].filter(([, place]) => place.location === location);
    const parts = own.map(([key]) => values.get(key)! as Uint8Array<ArrayBuffer>);
    const ownZeros = [...zeros].filter((key) => key.endsWith(` ${location}`));
    const read = new Blob([
      ...(location === path ? [skeleton as Uint8Array<ArrayBuffer>] : []),
      ...parts,
      ...ownZeros,
    ]);
    const sha256 = await sha256Hex(new Uint8Array(await read.arrayBuffer()));
    found.push([location, { bytes: size, sha256 }]);
  }
  return Object.fromEntries(found);
}
