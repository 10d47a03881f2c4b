/**
 * An ONNX file without its weights: the same protobuf, read in ranges, where each tensor's raw bytes have become
 * external data that lies in the file itself. Gigabytes of weights shrink to their places; what nothing reads
 * (documentation, value types) is left out.
 */
import { create, toBinary, type DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { AppError } from '../lib/errors.ts';
import { ModelProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from './proto/onnx_pb.ts';

/** Messages and raw bytes up to this size are copied as they are. */
const LARGEST_COPIED = 64;

/** Bytes asked from the file at once. */
const WINDOW = 1 << 16;

/** More than a tag and a length take. */
const HEADER = 20;

/** A longer field that is not raw bytes is a weight written as a list of numbers. */
const LARGEST_FIELD = 1 << 26;

const UNREAD = new Set(['doc_string', 'metadata_props', 'quantization_annotation', 'value_info']);

/** Skeleton of `file`; `name` is the file's own name, where its tensors will say that they lie. */
export async function readSkeleton(file: Blob, name: string): Promise<Uint8Array> {
  const copier = new Copier(file, name);
  await copier.copy(ModelProtoSchema, file.size);
  return copier.out.finish();
}

class Copier {
  readonly out = new BinaryWriter();
  private at = 0;
  private window = new Uint8Array();
  private windowStart = 0;

  constructor(
    private readonly file: Blob,
    private readonly name: string,
  ) {}

  /** Copies the fields of a message that ends at `end`. */
  async copy(message: DescMessage, end: number): Promise<void> {
    let isLeftOut = false;
    while (this.at < end) {
      const header = await this.peek(Math.min(HEADER, end - this.at));
      const reader = new BinaryReader(header);
      const [number, wire] = reader.tag();
      const isLong = wire === WireType.LengthDelimited;
      if (!isLong) reader.skip(wire, number);
      const length = isLong ? reader.uint32() : 0;
      if (this.at + reader.pos + length > end) throw new RangeError('a field ends after its message');
      const field = message.fields.find((candidate) => candidate.number === number);
      this.at += reader.pos;
      // Said where it lies now: what the file says of that came from where its bytes were before.
      const isPlaced = isLeftOut && field?.name === 'data_location';
      if (isPlaced || (field && UNREAD.has(field.name))) this.at += length;
      else if (length > LARGEST_COPIED && field?.name === 'raw_data') {
        this.leaveOut(length);
        isLeftOut = true;
      } else if (length > LARGEST_COPIED && field?.message) await this.open(number, field.message, length);
      else this.out.raw(header.subarray(0, reader.pos)).raw(await this.take(length));
    }
  }

  private async open(number: number, message: DescMessage, length: number): Promise<void> {
    this.out.tag(number, WireType.LengthDelimited).fork();
    await this.copy(message, this.at + length);
    this.out.join();
  }

  /** The next `length` bytes of a tensor become a place. */
  private leaveOut(length: number): void {
    const place = { location: this.name, offset: String(this.at), length: String(length) };
    const externalData = Object.entries(place).map(([key, value]) => ({ key, value }));
    const dataLocation = TensorProto_DataLocation.EXTERNAL;
    this.out.raw(toBinary(TensorProtoSchema, create(TensorProtoSchema, { dataLocation, externalData })));
    this.at += length;
  }

  private async take(length: number): Promise<Uint8Array> {
    if (length > LARGEST_FIELD)
      throw new AppError(
        'onnx.weights',
        `expected weights as raw bytes in ${this.name}, found a list of numbers of ${length} bytes; load and save it with the Python package onnx`,
      );
    const bytes = await this.peek(length);
    this.at += length;
    return bytes;
  }

  /** The next `length` bytes, which stay next. */
  private async peek(length: number): Promise<Uint8Array> {
    const from = this.at - this.windowStart;
    if (from >= 0 && from + length <= this.window.length) return this.window.subarray(from, from + length);
    const range = this.file.slice(this.at, this.at + Math.max(length, WINDOW));
    this.window = new Uint8Array(await range.arrayBuffer());
    this.windowStart = this.at;
    return this.window.subarray(0, length);
  }
}
