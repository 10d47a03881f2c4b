/** An encoder exported with its sampling gives PyTorch's mean once prepared (fixtures/make_sampling_encoder.py). */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { relativeError } from '../lib/numbers.ts';
import { floatsOf, openGraph, readTensors } from './testing/webGraph.ts';
import { prepareUnchanged } from './prepare.ts';
import { readStock } from './stock.ts';

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url);

it('the noise of an exported sampling is left out', async () => {
  const path = 'vae_encoder/model.onnx';
  const data = new Uint8Array(gunzipSync(readFileSync(fixture('sampling_encoder.onnx.gz'))));
  const stock = await readStock(path, () => Promise.resolve(new Blob([data])));
  const { bytes } = prepareUnchanged(stock, { sample: [3, 16, 16] });
  const session = await openGraph(bytes, [{ path, data }]);
  const { sample, mean } = readTensors(fixture('sampling_encoder.safetensors'), '');
  const { latent_sample: found } = await session.run({ sample: sample! });
  expect(found!.dims).toEqual([2, 4, 8, 8]);
  expect(relativeError(floatsOf(found), floatsOf(mean))).toBeLessThan(1e-5);
});
