/** Reading stock files: how little of them, and what is refused when weights are not where they should be. */
import { readFileSync } from 'node:fs';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AppError } from '../lib/errors.ts';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
} from './proto/onnx_pb.ts';
import { readModel } from './read.ts';
import { countWeights, isUnchanged, readStock } from './stock.ts';

const PATH = 'unet/model.onnx';
const micro = readFileSync(new URL('fixtures/micro/unet/model.onnx', import.meta.url));
const blobOf = (bytes: Uint8Array) => new Blob([bytes as Uint8Array<ArrayBuffer>]);

/** The micro U-Net with one more weight of 4 MB, inside the file. */
function withLargeWeight(): Uint8Array {
  const model = fromBinary(ModelProtoSchema, micro);
  const rawData = new Uint8Array(1 << 22).fill(1);
  const dims = [1n << 20n];
  const weight = { name: 'large', dims, dataType: TensorProto_DataType.FLOAT, rawData };
  model.graph!.initializer.unshift(create(TensorProtoSchema, weight));
  return toBinary(ModelProtoSchema, model);
}

/** The micro U-Net whose first weight lies elsewhere. */
function withExternalWeight(location: string, offset = 0): Uint8Array {
  const model = fromBinary(ModelProtoSchema, micro);
  const [weight] = model.graph!.initializer;
  const place = { location, offset: String(offset), length: String(weight!.rawData.length) };
  weight!.externalData = Object.entries(place).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  weight!.dataLocation = TensorProto_DataLocation.EXTERNAL;
  weight!.rawData = new Uint8Array();
  return toBinary(ModelProtoSchema, model);
}

it('weights are counted, and nothing but weights', async () => {
  const count = async (bytes: Uint8Array) =>
    countWeights(await readStock(PATH, () => Promise.resolve(blobOf(bytes))));
  // By the onnx package of Python: the floats of all initializers and constants.
  expect(await count(micro)).toBe(72_520);
  expect(await count(withLargeWeight())).toBe(72_520 + 2 ** 20);
});

it('weights inside the file are not read, and their place is exact', async () => {
  const bytes = withLargeWeight();
  const file = blobOf(bytes);
  let read = 0;
  const slice = file.slice.bind(file);
  file.slice = (start = 0, end = file.size) => {
    read += Math.min(end, file.size) - start;
    return slice(start, end);
  };
  const stock = await readStock(PATH, () => Promise.resolve(file));
  expect(read).toBeLessThan(micro.length * 1.5);
  const { content } = readModel(stock).constants.get('large')!;
  expect(content).toMatchObject({ kind: 'stored', location: PATH, length: 1 << 22, bytes: undefined });
  const offset = content.kind === 'stored' ? content.offset : NaN;
  expect(bytes.subarray(offset, offset + (1 << 22)).every((byte) => byte === 1)).toBe(true);
  expect(bytes[offset - 1]).not.toBe(1);
});

it('files are told apart by their structure and small values, not by their weights', async () => {
  const { sources } = await readStock(PATH, () => Promise.resolve(blobOf(micro)));
  const isSame = (bytes: Uint8Array) => isUnchanged(sources, PATH, () => Promise.resolve(blobOf(bytes)));
  const model = fromBinary(ModelProtoSchema, micro);
  expect(await isSame(micro)).toBe(true);
  model.graph!.node[3]!.opType = 'Other';
  expect(await isSame(toBinary(ModelProtoSchema, model))).toBe(false);
  expect(await isSame(withLargeWeight())).toBe(false);
});

describe('weights in another file', () => {
  const refusal = async (
    location: string,
    weights: Uint8Array | undefined,
    offset = 0,
  ): Promise<AppError> => {
    const model = blobOf(withExternalWeight(location, offset));
    const open = (path: string) => {
      if (path === PATH) return Promise.resolve(model);
      return weights ? Promise.resolve(blobOf(weights)) : Promise.reject(new Error(`no ${path}`));
    };
    const reason: unknown = await readStock(PATH, open).catch((error: unknown) => error);
    expect(reason).toBeInstanceOf(AppError);
    return reason as AppError;
  };

  it.each(['../weights.bin', '/etc/weights.bin', 'a/../../b', 'C:\\weights.bin', 'file://weights', ''])(
    'are not looked for at %j',
    async (location) => {
      const { code, message } = await refusal(location, new Uint8Array(1 << 20));
      expect(code).toBe('onnx.externalData');
      expect(message).toContain(`"${location}"`);
    },
  );

  it('are missed by name', async () => {
    const { code, message } = await refusal('model.onnx_data', undefined);
    expect(code).toBe('onnx.externalData');
    expect(message).toContain('unet/model.onnx_data');
  });

  it('are refused when the file is too short', async () => {
    const { code, message } = await refusal('model.onnx_data', new Uint8Array(1000), 990);
    expect(code).toBe('onnx.externalData');
    expect(message).toContain('found 1000');
  });
});
