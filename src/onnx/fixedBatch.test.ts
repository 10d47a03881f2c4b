/** A U-Net that was exported for a fixed batch of two, run with three pictures, against PyTorch. Figures are ‖a − b‖ / ‖b‖. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Tensor } from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { relativeError } from '../lib/numbers.ts';
import { prepareUnet } from './prepare.ts';
import { readStock } from './stock.ts';
import { unetFlags } from './testing/unetFlags.ts';
import { floatsOf, floatTensor, openGraph, readTensors, webTensors } from './testing/webGraph.ts';

const fixture = (name: string) => readFileSync(new URL(`fixtures/unet_fixed_batch.${name}`, import.meta.url));
const TOLERANCE = 1e-5;

it('answers and differentiates for another batch as in PyTorch', async () => {
  const file = new Uint8Array(gunzipSync(fixture('onnx.gz')));
  const stock = await readStock('part/model.onnx', () => Promise.resolve(new Blob([file])));
  expect(stock.zeros.size).toBeGreaterThan(0);
  const { bytes, info } = prepareUnet(stock, { latent: [4, 8, 8], tokens: 10, contextWidth: 16 });
  const session = await openGraph(bytes, [{ path: stock.path, data: file }]);
  const golden = readTensors(new URL('fixtures/unet_fixed_batch.safetensors', import.meta.url), '');
  const one = floatsOf(golden['context']);
  const stacked = floatTensor(
    Float32Array.from({ length: info.layers * one.length }, (_, i) => one[i % one.length]!),
    [info.layers, ...golden['context']!.dims],
  );
  const { sample, target, timestep } = golden;
  const outputs = await session.run({
    sample: sample!,
    target: target!,
    timestep: new Tensor('int64', BigInt64Array.from(floatsOf(timestep), BigInt), [3]),
    key_contexts: stacked,
    value_contexts: stacked,
    loss_weights: floatTensor(Float32Array.of(1, 1, 1), [3]),
    ...unetFlags(webTensors, true),
  });
  const gradient = new Float32Array(one.length);
  for (const name of ['grad_key_contexts', 'grad_value_contexts'])
    floatsOf(outputs[name]).forEach((x, i) => (gradient[i % one.length]! += x));
  expect(relativeError(floatsOf(outputs['out_sample']), floatsOf(golden['out_sample']))).toBeLessThan(
    TOLERANCE,
  );
  expect(relativeError(gradient, floatsOf(golden['gradient']))).toBeLessThan(TOLERANCE);
});
