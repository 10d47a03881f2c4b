/** Weights that a graph keeps apart, one file a tensor or under another name, wherever the folder is. */
import { openAsBlob } from 'node:fs';
import { expect, it } from 'vitest';
import { planFromUrl } from './baseUrl.ts';
import { planFromFolder } from './folder.ts';
import { planFromHub } from './hub.ts';
import { plannedEstimates } from './plannedMemory.ts';
import { asFolder, microFolder, UNET, withWeightsApart } from './testing/microFolder.ts';
import { HUB_REPO, startTestServer } from './testing/server.ts';

const paths = ({ files }: { readonly files: readonly { readonly path: string }[] }) =>
  files.map(({ path }) => path).toSorted();

it.each([
  ['one file a tensor', (i: number) => `down_blocks.${i}.weight`],
  ['another name', () => 'unet.onnx_data'],
])('weights in %s are found in a folder, at an address and on the Hub', async (_, fileOf) => {
  const files = await withWeightsApart(fileOf);
  const own = await planFromFolder(asFolder(files));
  expect(paths(own)).toEqual(expect.arrayContaining([UNET, `unet/${fileOf(0)}`]));
  expect(await plannedEstimates(own, false, new AbortController().signal)).not.toBeNull();
  const server = await startTestServer(files);
  const { origin: host } = new URL(server.url);
  expect(paths(await planFromUrl(server.url))).toEqual(paths(own));
  expect(paths(await planFromHub(HUB_REPO, 'main', { host }))).toEqual(paths(own));
  await server.close();
});

it('a folder without weights apart stays as it is', async () => {
  const files = await microFolder();
  const graph = await openAsBlob(new URL('../onnx/fixtures/micro/unet/model.onnx', import.meta.url));
  const own = (await planFromFolder(files)).files.filter(({ path }) => path.startsWith('unet/'));
  expect(own.map(({ path }) => path).toSorted()).toEqual(['unet/config.json', UNET]);
  expect(own.find(({ path }) => path === UNET)!.bytes).toBe(graph.size);
});
