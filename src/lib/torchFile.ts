/**
 * Reads what `torch.save` wrote: a zip of a pickle and its storages, or, before torch 1.6 and on request since, pickles one
 * after another with the storages behind them. The pickle is read as inert data (pickle.ts); a tensor is what the arguments
 * of its rebuild function say, checked against the storage's size before anything is copied.
 */
import { unzipSync, type UnzipFileInfo } from 'fflate';
import { ByteReader } from './byteReader.ts';
import { AppError } from './errors.ts';
import { isNumpyArray, NUMPY_GLOBALS, numpyShape, numpyTensor } from './numpyPickle.ts';
import { sizeOf } from './numbers.ts';
import { PersistentId, PickledGlobal, PickledObject, PickledTuple, type Pickled } from './pickled.ts';
import { readPickle } from './pickle.ts';
import { ITEM_BYTES, type DType, type StoredTensor } from './safetensors.ts';
import { gather, type Strided } from './strided.ts';

/** Storage classes by the type of their elements. */
const STORAGES: ReadonlyMap<string, DType> = new Map([
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.DoubleStorage', 'F64'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);
const REBUILD_TENSOR = 'torch._utils._rebuild_tensor_v2';
const REBUILD_PARAMETER = 'torch._utils._rebuild_parameter';

const REBUILD_FROM_NUMPY = 'torch._utils._rebuild_device_tensor_from_numpy';
const TORCH_TYPES = [
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
  'bool',
];

/**
 * Python names in any file of tensors; a caller adds those of its own kind of file. They are those that AUTOMATIC1111's list of safe
 * names and torch's own `weights_only` allow: classes and functions that hold or rebuild data.
 */
export const TENSOR_GLOBALS: readonly string[] = [
  ...STORAGES.keys(),
  REBUILD_TENSOR,
  REBUILD_PARAMETER,
  REBUILD_FROM_NUMPY,
  'torch.Size',
  'torch.device',
  ...TORCH_TYPES.map((name) => `torch.${name}`),
  ...NUMPY_GLOBALS,
  'collections.OrderedDict',
  '__builtin__.set',
  'builtins.set',
  'pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint',
];

const ZIP_MAGIC = 0x04034b50;
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
const MAX_ENTRIES = 10_000;
const MAX_RANK = 8;
const MAX_ELEMENTS = 2 ** 24;

/** Bytes of the storage with this key and number of elements. */
type Storages = (key: string, dtype: DType, elements: number) => Uint8Array;

export class TorchFile {
  readonly value: Pickled;
  private readonly storages: Storages;

  constructor(value: Pickled, storages: Storages) {
    this.value = value;
    this.storages = storages;
  }

  /** The tensor, contiguous; throws `torch.corrupt` when `value` is none or lies outside of its storage. */
  tensor(value: Pickled | undefined, name: string): StoredTensor {
    const array = numpyOf(value);
    if (array) return numpyTensor(array, name);
    const layout = layoutOf(value, name);
    const { key, dtype, elements } = layout.storage;
    const bytes = this.storages(key, dtype, elements);
    return { dtype, shape: layout.shape, bytes: gather(bytes, ITEM_BYTES[dtype], layout) };
  }

  /** The tensor's shape, without a look at its numbers; throws as `tensor`. */
  shape(value: Pickled | undefined, name: string): readonly number[] {
    const array = numpyOf(value);
    return array ? numpyShape(array, name) : layoutOf(value, name).shape;
  }
}

/** Whether it is a tensor of torch or an array of NumPy. */
export function isTensor(value: Pickled | undefined): boolean {
  if (numpyOf(value)) return true;
  return (
    value instanceof PickledObject &&
    (value.callable === REBUILD_TENSOR || value.callable === REBUILD_PARAMETER)
  );
}

/** An array, or that of a tensor that torch makes of one. */
function numpyOf(value: Pickled | undefined): PickledObject | null {
  const inner =
    value instanceof PickledObject && value.callable === REBUILD_FROM_NUMPY ? value.args.items[0] : value;
  return isNumpyArray(inner) ? inner : null;
}

/**
 * @param globals Python names that the file may hold, `TENSOR_GLOBALS` among them
 * Throws `torch.corrupt`, `pickle.corrupt`, or `pickle.refused` for names that are not among them.
 */
export function readTorchFile(file: Uint8Array, globals: ReadonlySet<string>): TorchFile {
  const start = file.length < 4 ? 0 : new ByteReader(file, 'torch.corrupt').uint32();
  return start === ZIP_MAGIC ? readZip(file, globals) : readLegacy(file, globals);
}

function readZip(file: Uint8Array, globals: ReadonlySet<string>): TorchFile {
  const entries = unzip(file);
  const main = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (main === undefined) throw corrupt('the zip has no data.pkl, so torch did not write it');
  const folder = main.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little')
    throw corrupt('its numbers are not little-endian');
  const { value } = readPickle(entries.get(main)!, globals);
  return new TorchFile(value, (key, dtype, elements) => {
    const storage = entries.get(`${folder}data/${key}`);
    if (storage?.length === elements * ITEM_BYTES[dtype]) return storage;
    const found = storage ? `has ${storage.length} bytes` : 'is missing';
    throw corrupt(`its storage ${key.slice(0, 20)} of ${elements} ${dtype} numbers ${found}`);
  });
}

/** Torch never compresses: a compressed entry is refused before it is unpacked. */
function unzip(file: Uint8Array): Map<string, Uint8Array> {
  const names = new Set<string>();
  let total = 0;
  const filter = ({ name, size, originalSize, compression }: UnzipFileInfo): boolean => {
    total += size;
    if (compression !== 0 || size !== originalSize)
      throw corrupt('its zip is compressed, which torch never does');
    if (total > file.length) throw corrupt('the entries of its zip overlap');
    if (names.has(name) || names.size >= MAX_ENTRIES)
      throw corrupt('its zip names an entry twice, or too many');
    names.add(name);
    return true;
  };
  try {
    return new Map(Object.entries(unzipSync(file, { filter })));
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw corrupt('its zip is damaged');
  }
}

function readLegacy(file: Uint8Array, globals: ReadonlySet<string>): TorchFile {
  const read = (offset: number) => readPickle(file, globals, { offset, resolve: classOf });
  const magic = read(0);
  if (magic.value !== LEGACY_MAGIC) throw corrupt('it does not begin as a file that torch wrote');
  const protocol = read(magic.end);
  if (protocol.value !== LEGACY_PROTOCOL) throw corrupt('its version is not that of any torch');
  const system = read(protocol.end);
  const contents = read(system.end);
  const keys = read(contents.end);
  const storages = legacyStorages(
    new ByteReader(file, 'torch.corrupt', keys.end),
    keys.value,
    contents.persistentIds,
  );
  return new TorchFile(contents.value, (key, dtype, elements) => {
    const bytes = storages.get(key);
    if (bytes?.length === elements * ITEM_BYTES[dtype]) return bytes;
    throw corrupt(`its storage ${key.slice(0, 20)} is missing or has another size`);
  });
}

/** A module's class was saved along with its source code, ('module', class, file, source); the class is enough. */
function classOf(reference: PersistentId): Pickled {
  const [kind, type = null] = reference.id instanceof PickledTuple ? reference.id.items : [];
  return kind === 'module' ? type : reference;
}

/** One after another in the order of the keys: the number of elements, then their bytes. */
function legacyStorages(
  input: ByteReader,
  keys: Pickled,
  references: readonly PersistentId[],
): Map<string, Uint8Array> {
  const inFile = references
    .filter((each) => classOf(each) === each)
    .map((each) => storageOf(each, 'a tensor'));
  const types = new Map(inFile.map(({ key, dtype }) => [key, dtype]));
  if (!Array.isArray(keys)) throw corrupt('it does not list its storages');
  const storages = new Map<string, Uint8Array>();
  for (const key of keys) {
    const dtype = typeof key === 'string' ? types.get(key) : undefined;
    if (typeof key !== 'string' || dtype === undefined)
      throw corrupt('it lists a storage that no tensor uses');
    storages.set(key, input.take(input.uint64() * ITEM_BYTES[dtype]));
  }
  return storages;
}

/** (storage, offset, size, strides, …) of a tensor, or of a parameter's tensor. */
function rebuildArguments(value: Pickled | undefined, name: string): readonly Pickled[] {
  const inner =
    value instanceof PickledObject && value.callable === REBUILD_PARAMETER ? value.args.items[0] : value;
  if (inner instanceof PickledObject && inner.callable === REBUILD_TENSOR) return inner.args.items;
  throw corrupt(`${name} is not a tensor`);
}

interface StorageReference {
  readonly key: string;
  readonly dtype: DType;
  readonly elements: number;
}

/** From torch's persistent id: ('storage', storage class, key, device, number of elements). */
function storageOf(reference: Pickled | undefined, name: string): StorageReference {
  const id = reference instanceof PersistentId ? reference.id : null;
  const [kind, type, key, , elements] = id instanceof PickledTuple ? id.items : [];
  const dtype = type instanceof PickledGlobal ? STORAGES.get(type.name) : undefined;
  if (kind !== 'storage' || dtype === undefined || typeof key !== 'string') {
    throw corrupt(`${name} has no storage of a known type`);
  }
  return { key, dtype, elements: whole(elements, name) };
}

function whole(value: Pickled | undefined, name: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw corrupt(`${name} has a size that is no whole number of at least 0`);
}

function extents(value: Pickled | undefined, name: string): number[] {
  if (value instanceof PickledTuple && value.items.length <= MAX_RANK) {
    return value.items.map((item) => whole(item, name));
  }
  throw corrupt(`${name} has no shape of at most ${MAX_RANK} dimensions`);
}

interface Layout extends Strided {
  readonly storage: StorageReference;
}

function layoutOf(value: Pickled | undefined, name: string): Layout {
  const [reference, start, sizes, steps] = rebuildArguments(value, name);
  const storage = storageOf(reference, name);
  const layout = {
    storage,
    shape: extents(sizes, name),
    strides: extents(steps, name),
    offset: whole(start, name),
  };
  checkBounds(name, layout);
  return layout;
}

function checkBounds(name: string, { shape, strides, offset, storage: { elements } }: Layout): void {
  if (strides.length !== shape.length) throw corrupt(`${name} has not one stride a dimension`);
  const count = sizeOf(shape);
  if (count > MAX_ELEMENTS) throw corrupt(`${name} claims ${count} numbers, more than any concept has`);
  const last = shape.reduce((sum, extent, i) => sum + (extent - 1) * strides[i]!, offset);
  if (count > 0 && last >= elements)
    throw corrupt(`${name} reaches beyond its storage of ${elements} numbers`);
}

function corrupt(problem: string): AppError {
  return new AppError('torch.corrupt', `This is not a valid file of tensors: ${problem}.`);
}
