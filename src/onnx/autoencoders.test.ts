/** Autoencoders as other programs export them give PyTorch's numbers once prepared (fixtures/make_sampling_encoder.py, make_light_decoder.py). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { relativeError } from '../lib/numbers.ts';
import { floatsOf, openGraph, readTensors } from './testing/webGraph.ts';
import { prepareUnchanged, type InputSizes } from './prepare.ts';
import { readStock } from './stock.ts';

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);

async function prepared(name: string, sizes: InputSizes) {
  const path = `${name}/model.onnx`;
  const data = new Uint8Array(gunzipSync(readFileSync(fixture(`${name}.onnx.gz`))));
  const stock = await readStock(path, () => Promise.resolve(new Blob([data])));
  const { bytes } = prepareUnchanged(stock, sizes);
  return openGraph(bytes, [{ path, data }]);
}

it('the noise of an exported sampling is left out', async () => {
  const session = await prepared('sampling_encoder', { sample: [3, 16, 16] });
  const { sample, mean } = readTensors(fixture('sampling_encoder.safetensors'), '');
  const { latent_sample: found } = await session.run({ sample: sample! });
  expect(found!.dims).toEqual([2, 4, 8, 8]);
  expect(relativeError(floatsOf(found), floatsOf(mean))).toBeLessThan(1e-5);
});

it('channels are spread over the picture by depth-to-space', async () => {
  const session = await prepared('light_decoder', { latent_sample: [8, 4, 4] });
  const { latent_sample: latents, sample } = readTensors(fixture('light_decoder.safetensors'), '');
  const { sample: found } = await session.run({ latent_sample: latents! });
  expect(found!.dims).toEqual([2, 3, 16, 16]);
  expect(relativeError(floatsOf(found), floatsOf(sample))).toBeLessThan(1e-5);
});
