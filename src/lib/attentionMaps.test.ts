/** Sums of attention's probabilities; the numbers of whole models are held to diffusers' in onnx/golden.test.ts and matrix.test.ts. */
import { describe, expect, it } from 'vitest';
import { AttentionMaps } from './attentionMaps.ts';

const sizes = { positions: [4, 1], tokens: 2, pictures: 1 };
/** Two tokens at four places and at one. */
const large = Float32Array.of(0.9, 0.1, 0.8, 0.2, 0.7, 0.3, 0.6, 0.4);
const small = Float32Array.of(0.5, 0.5);

describe('attention maps', () => {
  it('are the mean over layers and timesteps, small layers laid over large ones', () => {
    const maps = new AttentionMaps(sizes);
    maps.add([large, small]);
    maps.add([large, small]);
    expect(maps.side).toBe(2);
    const rounded = Array.from(maps.mean(), (x) => Math.round(100 * x) / 100);
    expect(rounded).toEqual([0.7, 0.65, 0.6, 0.55, 0.3, 0.35, 0.4, 0.45]);
  });

  it('leave out the rows before the first picture', () => {
    const maps = new AttentionMaps(sizes);
    const nothing = new Float32Array(8);
    maps.add([Float32Array.of(...nothing, ...large), Float32Array.of(0, 0, ...small)], 1);
    const alone = new AttentionMaps(sizes);
    alone.add([large, small]);
    expect(maps.mean()).toEqual(alone.mean());
  });

  it('have tokens that sum to 1 at every place', () => {
    const maps = new AttentionMaps({ positions: [64, 16, 4], tokens: 3, pictures: 1 });
    const layer = (places: number) =>
      Float32Array.from({ length: places * 3 }, (_, i) => [0.2, 0.3, 0.5][(i + Math.floor(i / 3)) % 3]!);
    maps.add([layer(64), layer(16), layer(4)]);
    const mean = maps.mean();
    for (let place = 0; place < 64; place++)
      expect(mean[place]! + mean[64 + place]! + mean[128 + place]!).toBeCloseTo(1, 6);
  });
});
