/** For tests: the micro model (random weights, Stable Diffusion's exact layout), as it is or as exporters save it. */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../../onnx/proto/onnx_pb.ts';
import type { FolderFile } from '../folder.ts';

const folder = join(import.meta.dirname, '../../onnx/fixtures/micro');

/** Contents by path in the model's folder. */
export type Files = Map<string, Uint8Array<ArrayBuffer>>;

export async function microFiles(): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((each) => each.isFile())
    .map((each) => relative(folder, join(each.parentPath, each.name)));
  const read = paths.map(async (path) => [path, new Uint8Array(await readFile(join(folder, path)))] as const);
  return new Map(await Promise.all(read));
}

/** Files as a folder that was chosen on the page. */
export function asFolder(files: Files, name = 'micro'): FolderFile[] {
  return [...files].map(([path, bytes]) => ({ path: `${name}/${path}`, file: new File([bytes], path) }));
}

export const microFolder = async () => asFolder(await microFiles());

export const UNET = 'unet/model.onnx';
/** Smaller tensors stay in the graph. */
const SMALLEST_APART = 64;

/** The micro model with the U-Net's weights in the files that `fileOf` names, one a tensor or together. */
export async function withWeightsApart(fileOf: (i: number) => string): Promise<Files> {
  const files = await microFiles();
  const model = fromBinary(ModelProtoSchema, files.get(UNET)!);
  model.graph!.initializer.forEach((tensor, i) => {
    if (tensor.rawData.length < SMALLEST_APART) return;
    const path = `unet/${fileOf(i)}`;
    const before = files.get(path) ?? new Uint8Array();
    files.set(path, new Uint8Array(Buffer.concat([before, tensor.rawData])));
    const place = { location: fileOf(i), offset: before.length, length: tensor.rawData.length };
    tensor.externalData = Object.entries(place).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    );
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.rawData = new Uint8Array();
  });
  return files.set(UNET, new Uint8Array(toBinary(ModelProtoSchema, model)));
}
