/** A picture is encoded once, however often it is asked for, and the oldest gives way. */
import { expect, it, vi } from 'vitest';
import type { Pipeline } from '../diffusion/pipeline.ts';
import { MAX_TRAINING_PICTURES } from '../neti/limits.ts';
import { PictureEncoder } from './pictureEncoder.ts';

it('encodes a picture once, and keeps those of one training with their mirror images', async () => {
  const encodeImages = vi.fn((planes: Float32Array) => Promise.resolve({ mean: planes, logvar: planes }));
  const encoder = new PictureEncoder({ encodeImages } as unknown as Pipeline);
  const picture = (value: number) => new Float32Array(12).fill(value);
  const first = await encoder.encode(picture(0));
  expect(await encoder.encode(picture(0))).toBe(first);
  for (let value = 1; value < 2 * MAX_TRAINING_PICTURES; value++) await encoder.encode(picture(value));
  expect(await encoder.encode(picture(0))).toBe(first);
  expect(encodeImages).toHaveBeenCalledTimes(2 * MAX_TRAINING_PICTURES);
  await encoder.encode(picture(-1));
  await encoder.encode(picture(1));
  expect(encodeImages).toHaveBeenCalledTimes(2 * MAX_TRAINING_PICTURES + 2);
});
