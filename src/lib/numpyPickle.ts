/**
 * NumPy's scalars and arrays in pickles, as data. A scalar is scalar(dtype, bytes); an array is _reconstruct(…) whose state
 * holds (version, shape, dtype, in columns?, bytes), or _frombuffer(bytes, dtype, shape, order). Before protocol 3, bytes are a Latin-1 text
 * that _codecs.encode would turn into them. Nothing is called.
 */
import { AppError } from './errors.ts';
import { sizeOf } from './numbers.ts';
import { PickledObject, PickledTuple, type Pickled } from './pickled.ts';
import { ITEM_BYTES, toFloat32, type DType, type StoredTensor } from './safetensors.ts';
import { gather } from './strided.ts';

const PACKAGES = ['numpy.core', 'numpy._core'];
const SCALARS = new Set(PACKAGES.map((name) => `${name}.multiarray.scalar`));
const ARRAYS = new Set(PACKAGES.map((name) => `${name}.multiarray._reconstruct`));
const BUFFERS = new Set(PACKAGES.map((name) => `${name}.numeric._frombuffer`));
const DTYPE = 'numpy.dtype';
const ENCODE = '_codecs.encode';

/** Python names that NumPy's data are pickled with. */
export const NUMPY_GLOBALS: readonly string[] = [
  ...SCALARS,
  ...ARRAYS,
  ...BUFFERS,
  DTYPE,
  'numpy.ndarray',
  ENCODE,
];

const DTYPES: ReadonlyMap<string, DType> = new Map([
  ['f2', 'F16'],
  ['f4', 'F32'],
  ['f8', 'F64'],
  ['i1', 'I8'],
  ['i2', 'I16'],
  ['i4', 'I32'],
  ['i8', 'I64'],
  ['u1', 'U8'],
  ['u2', 'U16'],
  ['u4', 'U32'],
  ['u8', 'U64'],
  ['b1', 'BOOL'],
]);

const isCallOf = (value: Pickled | undefined, names: ReadonlySet<string>): value is PickledObject =>
  value instanceof PickledObject && names.has(value.callable);

export function isNumpyArray(value: Pickled | undefined): value is PickledObject {
  return isCallOf(value, ARRAYS) || isCallOf(value, BUFFERS);
}

/** A Python or NumPy number, null for anything else. Throws `torch.corrupt` for a scalar that is none. */
export function numberOf(value: Pickled | undefined): number | null {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (!isCallOf(value, SCALARS)) return null;
  const [type, content] = value.args.items;
  const dtype = dtypeOf(type);
  const bytes = bytesOf(content);
  if (bytes.length !== ITEM_BYTES[dtype]) throw corrupt(`a number of it has ${bytes.length} bytes`);
  return readNumber(dtype, new DataView(bytes.buffer, bytes.byteOffset));
}

function readNumber(dtype: DType, view: DataView): number | null {
  if (dtype === 'F64') return view.getFloat64(0, true);
  if (dtype === 'I64') return Number(view.getBigInt64(0, true));
  if (dtype === 'U64') return Number(view.getBigUint64(0, true));
  if (dtype === 'I32') return view.getInt32(0, true);
  if (dtype === 'U32') return view.getUint32(0, true);
  if (dtype === 'I16') return view.getInt16(0, true);
  if (dtype === 'U16') return view.getUint16(0, true);
  if (dtype === 'I8') return view.getInt8(0);
  if (dtype === 'U8' || dtype === 'BOOL') return view.getUint8(0);
  return toFloat32({
    dtype,
    shape: [],
    bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength),
  })[0]!;
}

interface NumpyArray {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly inColumns: boolean;
  readonly content: Pickled | undefined;
}

function partsOf(value: PickledObject, name: string): NumpyArray {
  if (BUFFERS.has(value.callable)) {
    const [content, type, shape, order] = value.args.items;
    return { shape: extentsOf(shape, name), dtype: dtypeOf(type), inColumns: order === 'F', content };
  }
  const [, shape, type, inColumns, content] = value.state instanceof PickledTuple ? value.state.items : [];
  return { shape: extentsOf(shape, name), dtype: dtypeOf(type), inColumns: inColumns === true, content };
}

export function numpyShape(value: PickledObject, name: string): readonly number[] {
  return partsOf(value, name).shape;
}

/** Throws `torch.corrupt` unless the array's bytes are as many as its shape says. */
export function numpyTensor(value: PickledObject, name: string): StoredTensor {
  const { shape, dtype, inColumns, content } = partsOf(value, name);
  const bytes = bytesOf(content);
  const expected = sizeOf(shape) * ITEM_BYTES[dtype];
  if (bytes.length !== expected) throw corrupt(`${name} has ${bytes.length} bytes instead of ${expected}`);
  if (!inColumns) return { dtype, shape, bytes };
  const strides = shape.map((_, i) => sizeOf(shape.slice(0, i)));
  return { dtype, shape, bytes: gather(bytes, ITEM_BYTES[dtype], { shape, strides, offset: 0 }) };
}

function extentsOf(value: Pickled | undefined, name: string): number[] {
  const items = value instanceof PickledTuple ? value.items : [];
  const shape = items.map((item) => numberOf(item) ?? -1);
  if (
    value instanceof PickledTuple &&
    shape.length <= 8 &&
    shape.every((n) => Number.isSafeInteger(n) && n >= 0)
  )
    return shape;
  throw corrupt(`${name} has no shape`);
}

function dtypeOf(value: Pickled | undefined): DType {
  const [code] = value instanceof PickledObject && value.callable === DTYPE ? value.args.items : [];
  const order =
    value instanceof PickledObject && value.state instanceof PickledTuple ? value.state.items[1] : '<';
  const dtype = typeof code === 'string' ? DTYPES.get(code) : undefined;
  if (dtype !== undefined && order !== '>') return dtype;
  throw corrupt('it holds a NumPy array of a type that is not read');
}

function bytesOf(value: Pickled | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof PickledObject && value.callable === ENCODE) {
    const [text, encoding] = value.args.items;
    if (typeof text === 'string' && encoding === 'latin1')
      return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  }
  throw corrupt('it holds a NumPy array without its bytes');
}

function corrupt(problem: string): AppError {
  return new AppError('torch.corrupt', `This is not a valid file of tensors: ${problem}.`);
}
