/** Little-endian numbers read one after another from bytes that nobody vouches for: no read goes beyond the end. */
import { AppError } from './errors.ts';

export class ByteReader {
  offset: number;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly code: string;

  /** @param code of the error thrown where the bytes end too early */
  constructor(bytes: Uint8Array, code: string, offset = 0) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.code = code;
    this.offset = offset;
  }

  /** The next bytes, as a view. */
  take(length: number): Uint8Array {
    return this.bytes.subarray(this.advance(length), this.offset);
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }

  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }

  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  /** Exact up to 2⁵³; what is beyond is longer than any file and fails as a length. */
  uint64(): number {
    return Number(this.view.getBigUint64(this.advance(8), true));
  }

  float64BigEndian(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** The bytes up to the next line feed, which is skipped. */
  line(): Uint8Array {
    const end = this.bytes.indexOf(0x0a, this.offset);
    const text = this.take((end < 0 ? this.bytes.length : end) - this.offset);
    this.advance(1);
    return text;
  }

  /** Moves on and returns where it was. */
  private advance(length: number): number {
    const start = this.offset;
    if (length > this.bytes.length - start) {
      throw new AppError(
        this.code,
        `The file is cut off or damaged: byte ${start} announces ${length} bytes, ${this.bytes.length - start} are left.`,
      );
    }
    this.offset = start + length;
    return start;
  }
}
