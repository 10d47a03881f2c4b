/** Weights that a graph keeps apart, one file a tensor or under another name, wherever the folder is; and what is no graph. */
import { openAsBlob } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../onnx/proto/onnx_pb.ts';
import { planFromUrl } from './baseUrl.ts';
import { planFromFolder } from './folder.ts';
import { planFromHub } from './hub.ts';
import { plannedEstimates } from './plannedMemory.ts';
import { microFolder } from './testing/microFolder.ts';
import { HUB_REPO, startTestServer } from './testing/server.ts';

const GRAPH = 'unet/model.onnx';
type Files = Map<string, Uint8Array<ArrayBuffer>>;

/** The micro model's files with the U-Net's weights in the files that `fileOf` names, one a tensor or together. */
async function withWeights(fileOf: (i: number) => string): Promise<Files> {
  const files: Files = new Map();
  for (const { path, file } of await microFolder())
    files.set(path.slice('micro/'.length), new Uint8Array(await file.arrayBuffer()));
  const model = fromBinary(ModelProtoSchema, files.get(GRAPH)!);
  model.graph!.initializer.forEach((tensor, i) => {
    if (tensor.rawData.length < 64) return;
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
  return files.set(GRAPH, new Uint8Array(toBinary(ModelProtoSchema, model)));
}

const choose = (files: Files) =>
  planFromFolder([...files].map(([path, bytes]) => ({ path: `own/${path}`, file: new File([bytes], path) })));
const paths = ({ files }: { readonly files: readonly { readonly path: string }[] }) =>
  files.map(({ path }) => path).toSorted();

describe.each([
  ['one file a tensor', (i: number) => `down_blocks.${i}.weight`],
  ['another name', () => 'unet.onnx_data'],
])('weights in %s', (_, fileOf) => {
  it('are found in a folder, at an address and on the Hub', async () => {
    const files = await withWeights(fileOf);
    const own = await choose(files);
    expect(paths(own)).toEqual(expect.arrayContaining([GRAPH, `unet/${fileOf(0)}`]));
    expect(await plannedEstimates(own, false, new AbortController().signal)).not.toBeNull();
    const server = await startTestServer(files);
    const { origin: host } = new URL(server.url);
    expect(paths(await planFromUrl(server.url))).toEqual(paths(own));
    expect(paths(await planFromHub(HUB_REPO, 'main', { host }))).toEqual(paths(own));
    await server.close();
  }, 60_000);
});

describe('a folder', () => {
  it('that lacks them is told which, in one sentence', async () => {
    const files = await withWeights(() => 'model.onnx_data');
    files.delete('unet/model.onnx_data');
    await expect(choose(files)).rejects.toThrow(
      /^Expected unet\/model\.onnx_data, in which unet\/model\.onnx says that its weights lie, found no such file\./,
    );
  });

  it('of Git LFS pointers is said to be one', async () => {
    const files = await withWeights(() => 'model.onnx_data');
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 3438375973\n`;
    files.set(GRAPH, new TextEncoder().encode(pointer));
    await expect(choose(files)).rejects.toThrow(
      /^unet\/model\.onnx is a Git LFS pointer, not the file itself/,
    );
  });

  it('without weights apart stays as it is', async () => {
    const files = await microFolder();
    const graph = await openAsBlob(new URL('../onnx/fixtures/micro/unet/model.onnx', import.meta.url));
    const own = (await planFromFolder(files)).files.filter(({ path }) => path.startsWith('unet/'));
    expect(own.map(({ path }) => path).toSorted()).toEqual(['unet/config.json', GRAPH]);
    expect(own.find(({ path }) => path === GRAPH)!.bytes).toBe(graph.size);
  });
});
