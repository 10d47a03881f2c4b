/** Safetensors files there and back, and damaged ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { numberToHalf } from './half.ts';
import {
  readHeader,
  readSafetensors,
  replaceMetadata,
  toBigInt64,
  toFloat32,
  writeSafetensors,
  type DType,
} from './safetensors.ts';

/** A file with a hand-made header. */
function file(header: unknown, data: Uint8Array = new Uint8Array()): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

function stored(dtype: DType, data: ArrayBufferView, shape: number[]) {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return readSafetensors(file({ x: { dtype, shape, data_offsets: [0, bytes.length] } }, bytes)).tensors.get(
    'x',
  )!;
}

const f32 = (shape: unknown, begin: unknown, end: unknown) => ({
  dtype: 'F32',
  shape,
  data_offsets: [begin, end],
});

describe('safetensors', () => {
  it('reads what it wrote', () => {
    const tensors = new Map([
      ['b', { shape: [2, 2], values: Float32Array.of(1, -2, 3.5, 1e-30) }],
      ['a', { shape: [], values: Float32Array.of(7) }],
      ['empty', { shape: [0, 3], values: new Float32Array() }],
    ]);
    const bytes = writeSafetensors(tensors, new Map([['title', 'Käse "1"']]));
    const read = readSafetensors(bytes);
    expect(read.metadata).toEqual(new Map([['title', 'Käse "1"']]));
    expect(read.data.byteOffset % 8).toBe(0);
    for (const [name, { shape, values }] of tensors) {
      expect(read.tensors.get(name)!.shape).toEqual(shape);
      expect(toFloat32(read.tensors.get(name)!)).toEqual(values);
    }
  });

  it("reads a file written by the format's own library", () => {
    const bytes = readFileSync(
      new URL('../neti/fixtures/mapper_basic_nobypass.safetensors', import.meta.url),
    );
    const { metadata, tensors } = readSafetensors(bytes);
    expect(metadata.get('output_dim')).toBe('32');
    expect(tensors.get('fwd.output')!.shape).toEqual([8, 32]);
  });

  it('converts half, bfloat and 64-bit integers', () => {
    expect([...toFloat32(stored('F16', Uint16Array.of(numberToHalf(1.5), numberToHalf(-2)), [2]))]).toEqual([
      1.5, -2,
    ]);
    expect([...toFloat32(stored('BF16', Uint16Array.of(0x3fc0, 0xc000), [2]))]).toEqual([1.5, -2]);
    expect([...toBigInt64(stored('I64', BigInt64Array.of(-3n, 2n ** 40n), [2]))]).toEqual([-3n, 2n ** 40n]);
    expect(() => toFloat32(stored('I32', Int32Array.of(1), [1]))).toThrow(/found I32/);
    expect(() => toBigInt64(stored('F32', Float32Array.of(1), [1]))).toThrow(/found F32/);
  });

  it('replaces metadata and leaves every tensor byte alone', () => {
    const bytes = writeSafetensors(
      new Map([['x', { shape: [1], values: Float32Array.of(5) }]]),
      new Map([['a', '1']]),
    );
    const replaced = readSafetensors(replaceMetadata(bytes, new Map([['b', '2']])));
    expect(replaced.metadata).toEqual(new Map([['b', '2']]));
    expect(replaced.data).toEqual(readSafetensors(bytes).data);
  });

  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /only 0 bytes/],
    ['a header longer than the file', file('{}').subarray(0, 9), /only 9 bytes/],
    ['a header of 2⁶³ bytes', new Uint8Array(64).fill(0xff), /claims/],
    ['a header that is not JSON', file('{"x":'), /not JSON/],
    ['a header that is not UTF-8', file('{"\u0001').fill(0xff, 8), /not JSON/],
    ['a header that is a list', file('[1]'), /malformed/],
    ['metadata that are not text', file({ __metadata__: { a: 1 } }), /__metadata__ is malformed/],
    [
      'a repeated tensor',
      file('{"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"\\u0078":1}'),
      /"x" occurs twice/,
    ],
    ['a repeated metadata key', file('{"__metadata__":{"a":"1","a":"2"}}'), /"a" occurs twice/],
    ['an unknown type', file({ x: { dtype: 'F7', shape: [1], data_offsets: [0, 8] } }, eight), /malformed/],
    ['an unknown field', file({ x: { ...f32([2], 0, 8), more: 1 } }, eight), /malformed/],
    ['a negative extent', file({ x: f32([-2], 0, 8) }, eight), /malformed/],
    ['a fractional offset', file({ x: f32([2], 0, 7.5) }, eight), /malformed/],
    ['a hundred dimensions', file({ x: f32(new Array(100).fill(1), 0, 4) }, eight), /malformed/],
    ['a shape of 2¹⁰⁰ elements', file({ x: f32([2 ** 50, 2 ** 50], 0, 8) }, eight), /its shape needs/],
    ['a size unlike the shape', file({ x: f32([3], 0, 8) }, eight), /its shape needs 12/],
    ['an end before its begin', file({ x: f32([0], 8, 0) }, eight), /starts at byte 8/],
    ['data beyond the file', file({ x: f32([4], 0, 16) }, eight), /0 to 16/],
    [
      'overlapping tensors',
      file({ x: f32([2], 0, 8), y: f32([1], 4, 8) }, eight),
      /y starts at byte 4, expected 8/,
    ],
    ['a gap', file({ x: f32([1], 4, 8) }, eight), /x starts at byte 4, expected 0/],
    ['bytes that belong to no tensor', file({ x: f32([1], 0, 4) }, eight), /4 bytes after/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => readSafetensors(bytes)).toThrow(message);
    expect(() => readSafetensors(bytes)).toThrow(expect.objectContaining({ code: 'safetensors.corrupt' }));
  });
});

describe('the header of a large file', () => {
  const read = (bytes: Uint8Array<ArrayBuffer>) => readHeader(new Blob([bytes]));

  it('tells where tensors lie, with gaps between them and without the end of the file', async () => {
    const header = { x: f32([1], 3, 7), y: f32([2], 8, 16), __metadata__: { a: 'b' } };
    const bytes = file(header, new Uint8Array(10));
    const start = bytes.length - 10;
    const { tensors, metadata, needs } = await read(bytes);
    expect(tensors.get('x')).toEqual({ dtype: 'F32', shape: [1], offset: start + 3, length: 4 });
    expect(tensors.get('y')?.offset).toBe(start + 8);
    expect(needs).toBe(start + 16);
    expect(metadata).toEqual(new Map([['a', 'b']]));
  });

  it.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ['seven bytes', new Uint8Array(7), /only 7 bytes/],
    ['a header beyond the file', new Uint8Array(64).fill(0x7f), /claims/],
    ['a header that is not JSON', file('{"x":'), /not JSON/],
    ['overlapping tensors', file({ x: f32([2], 0, 8), y: f32([1], 4, 8) }), /lies over another/],
    ['a size unlike the shape', file({ x: f32([3], 0, 8) }), /its shape needs 12/],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(message);
    await expect(read(bytes)).rejects.toThrow(expect.objectContaining({ code: 'safetensors.corrupt' }));
  });
});
