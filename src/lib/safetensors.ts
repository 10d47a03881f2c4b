/**
 * The safetensors format (github.com/huggingface/safetensors, "Format"): 8 bytes of header length, a JSON header of
 * tensors {dtype, shape, data_offsets} and string metadata, then the tensors' little-endian bytes.
 *
 * The reader trusts nothing: lengths are checked before anything is allocated, offsets must cover the data exactly, without gap or
 * overlap, and keys may not repeat. It copies no tensor; `toFloat32` and `toBigInt64` make aligned copies. Of models, which are large,
 * `readHeader` reads the header alone; they may have gaps, as other programs write them.
 */
import { z } from './zod.ts';
import { AppError } from './errors.ts';
import { halfBytesToFloat32 } from './half.ts';
import { findDuplicateKey } from './jsonKeys.ts';
import { sizeOf } from './numbers.ts';

const MAX_HEADER_BYTES = 8 * 2 ** 20;
const MAX_RANK = 8;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/** Bytes an element; of those below eight bits a part of one. */
export const ITEM_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F4: 1 / 2,
  F6_E2M3: 3 / 4,
  F6_E3M2: 3 / 4,
  F8_E5M2: 1,
  F8_E4M3: 1,
  F8_E8M0: 1,
  F8_E4M3FNUZ: 1,
  F8_E5M2FNUZ: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
  C64: 8,
} as const;

export type DType = keyof typeof ITEM_BYTES;

const count = z.int().nonnegative();
const entrySchema = z.strictObject({
  dtype: z.enum(Object.keys(ITEM_BYTES) as [DType, ...DType[]], {
    error: ({ input }) =>
      `numbers of a type that this program does not know: ${JSON.stringify(input)?.slice(0, 40)}`,
  }),
  shape: z.array(count).max(MAX_RANK),
  data_offsets: z.tuple([count, count]),
});
type Entry = z.infer<typeof entrySchema>;
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** A view into the file, in no particular alignment. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** All tensors' bytes: what a hash of the contents is taken over. */
  readonly data: Uint8Array;
}

/** Throws `safetensors.corrupt` unless the file is valid to the last byte. */
export function readSafetensors(file: Uint8Array): Safetensors {
  const headerEnd = LENGTH_BYTES + headerLength(file);
  const header = parseHeader(file.subarray(LENGTH_BYTES, headerEnd));
  const data = file.subarray(headerEnd);
  const { [METADATA]: metadata = {}, ...rest } = header;
  const entries = Object.entries(rest).map(
    ([name, entry]) => [name, parse(entrySchema, entry, name)] as const,
  );
  checkOffsets(entries, data.length);
  const tensors = entries.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [begin, end],
      },
    ]) => {
      return [name, { dtype, shape, bytes: data.subarray(begin, end) }] as const;
    },
  );
  const texts = Object.entries(parse(metadataSchema, metadata, METADATA));
  return { metadata: new Map(texts), tensors: new Map(tensors), data };
}

/** A tensor in a file: its bytes begin `offset` bytes from the file's start. */
export interface PlacedTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, PlacedTensor>;
  /** Bytes that the file has when all of its tensors are there. */
  readonly needs: number;
}

/**
 * Where each tensor of a file lies, read from its header. Throws `safetensors.corrupt` for a header of another form and for tensors
 * that overlap; a file that ends before its tensors do has a `size` below `needs`.
 */
export async function readHeader(file: Blob): Promise<SafetensorsHeader> {
  const start = new Uint8Array(await file.slice(0, LENGTH_BYTES).arrayBuffer());
  if (start.length < LENGTH_BYTES) throw corrupt(`it has only ${file.size} bytes`);
  const headerEnd = LENGTH_BYTES + Number(new DataView(start.buffer).getBigUint64(0, true));
  if (headerEnd > LENGTH_BYTES + MAX_HEADER_BYTES || headerEnd > file.size)
    throw corrupt(`its header claims ${headerEnd - LENGTH_BYTES} bytes of a file of ${file.size}`);
  const json = new Uint8Array(await file.slice(LENGTH_BYTES, headerEnd).arrayBuffer());
  const { [METADATA]: metadata = {}, ...rest } = parseHeader(json);
  const entries = Object.entries(rest).map(
    ([name, entry]) => [name, parse(entrySchema, entry, name)] as const,
  );
  const end = checkPlaces(entries);
  const texts = Object.entries(parse(metadataSchema, metadata, METADATA));
  const tensors = entries.map(([name, entry]) => [name, placed(entry, headerEnd)] as const);
  return { metadata: new Map(texts), tensors: new Map(tensors), needs: headerEnd + end };
}

function placed({ dtype, shape, data_offsets: [begin, end] }: Entry, headerEnd: number): PlacedTensor {
  return { dtype, shape, offset: headerEnd + begin, length: end - begin };
}

/** Sizes agree with shapes, and no two tensors share a byte. Returns where the last one ends. */
function checkPlaces(entries: readonly (readonly [string, Entry])[]): number {
  let covered = 0;
  for (const [name, entry] of inOrder(entries)) {
    const [begin, end] = entry.data_offsets;
    checkSize(name, entry);
    if (begin < covered) throw corrupt(`${name.slice(0, 80)} lies over another tensor`);
    covered = end;
  }
  return covered;
}

function inOrder(entries: readonly (readonly [string, Entry])[]) {
  return [...entries].sort(
    ([, a], [, b]) => a.data_offsets[0] - b.data_offsets[0] || a.data_offsets[1] - b.data_offsets[1],
  );
}

function checkSize(name: string, { dtype, shape, data_offsets: [begin, end] }: Entry): void {
  const size = ITEM_BYTES[dtype] * sizeOf(shape);
  if (end - begin !== size)
    throw corrupt(`${name.slice(0, 80)} takes bytes ${begin} to ${end}, but its shape needs ${size}`);
}

/** A copy as float32, from F32, F16, BF16 or F64; throws `safetensors.dtype` for others. */
export function toFloat32(tensor: StoredTensor): Float32Array<ArrayBuffer> {
  const { bytes, dtype } = tensor;
  if (dtype === 'F32') return new Float32Array(aligned(bytes));
  if (dtype === 'F16') return new Float32Array(halfBytesToFloat32(bytes));
  if (dtype === 'BF16') {
    const bits = Uint32Array.from(new Uint16Array(aligned(bytes)), (half) => half << 16);
    return new Float32Array(bits.buffer);
  }
  if (dtype === 'F64') return new Float32Array(new Float64Array(aligned(bytes)));
  throw new AppError('safetensors.dtype', `Expected a tensor of F32, F16, BF16 or F64, found ${dtype}.`);
}

/** A copy of an I64 tensor; throws `safetensors.dtype` for others. */
export function toBigInt64(tensor: StoredTensor): BigInt64Array<ArrayBuffer> {
  if (tensor.dtype === 'I64') return new BigInt64Array(aligned(tensor.bytes));
  throw new AppError('safetensors.dtype', `Expected a tensor of I64, found ${tensor.dtype}.`);
}

/** A copy in a buffer of its own (`slice` would not copy Node's Buffer). */
function aligned(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/** A tensor to be written: F32, or F16 as bit patterns. */
export interface WrittenTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint16Array;
}

export interface Float32Tensor extends WrittenTensor {
  readonly values: Float32Array;
}

/** The data section of `writeSafetensors`, for a hash over it. */
export function tensorBytes(tensors: ReadonlyMap<string, WrittenTensor>): Uint8Array<ArrayBuffer> {
  const total = [...tensors.values()].reduce((sum, { values }) => sum + values.byteLength, 0);
  const data = new Uint8Array(total);
  let offset = 0;
  for (const { values } of tensors.values()) {
    data.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), offset);
    offset += values.byteLength;
  }
  return data;
}

/** A file of tensors in the map's order; the header is padded so that the data is aligned to 8 bytes. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, WrittenTensor>,
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, Entry | Record<string, string>> = { [METADATA]: Object.fromEntries(metadata) };
  let begin = 0;
  for (const [name, { shape, values }] of tensors) {
    const end = begin + values.byteLength;
    const dtype = values instanceof Float32Array ? 'F32' : 'F16';
    header[name] = { dtype, shape: [...shape], data_offsets: [begin, end] };
    begin = end;
  }
  return assemble(JSON.stringify(header), tensorBytes(tensors));
}

/** The same tensors, byte by byte, under other metadata. */
export function replaceMetadata(
  file: Uint8Array,
  metadata: ReadonlyMap<string, string>,
): Uint8Array<ArrayBuffer> {
  const { data } = readSafetensors(file);
  const header = parseHeader(file.subarray(LENGTH_BYTES, file.length - data.length));
  return assemble(JSON.stringify({ ...header, [METADATA]: Object.fromEntries(metadata) }), data);
}

function assemble(json: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = new TextEncoder().encode(json);
  const padded = Math.ceil(header.length / 8) * 8;
  const file = new Uint8Array(LENGTH_BYTES + padded + data.length).fill(0x20, 0, LENGTH_BYTES + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(header, LENGTH_BYTES);
  file.set(data, LENGTH_BYTES + padded);
  return file;
}

function corrupt(problem: string): AppError {
  return new AppError('safetensors.corrupt', `Not a valid safetensors file: ${problem}.`);
}

function headerLength(file: Uint8Array): number {
  if (file.length < LENGTH_BYTES + 2) throw corrupt(`it has only ${file.length} bytes`);
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || length > file.length - LENGTH_BYTES) {
    throw corrupt(`its header claims ${length} bytes of a file of ${file.length}`);
  }
  return length;
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  let text: string;
  let value: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw corrupt('its header is not JSON');
  }
  const duplicate = findDuplicateKey(text);
  if (duplicate !== null) throw corrupt(`"${duplicate.slice(0, 80)}" occurs twice in its header`);
  return parse(headerSchema, value, 'the header');
}

function parse<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw corrupt(`${name.slice(0, 80)} is malformed (${z.prettifyError(result.error).slice(0, 200)})`);
}

/** Sizes agree with shapes, and the tensors follow each other without gap or overlap up to the end of the file. */
function checkOffsets(entries: readonly (readonly [string, Entry])[], dataLength: number): void {
  let covered = 0;
  for (const [name, entry] of inOrder(entries)) {
    const [begin, end] = entry.data_offsets;
    if (begin !== covered) throw corrupt(`${name.slice(0, 80)} starts at byte ${begin}, expected ${covered}`);
    checkSize(name, entry);
    if (end > dataLength)
      throw corrupt(`${name.slice(0, 80)} takes bytes ${begin} to ${end} of ${dataLength}`);
    covered = end;
  }
  if (covered !== dataLength)
    throw corrupt(`${dataLength - covered} bytes after the last tensor belong to none`);
}
