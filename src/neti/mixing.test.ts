/** Which concept each layer reads at each timestep. */
import { describe, expect, it } from 'vitest';
import type { PromptContexts } from '../diffusion/sampling.ts';
import { coarseLayers, mixContexts } from './mixing.ts';

const stableDiffusion = [64, 64, 32, 32, 16, 16, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64].map(
  (side) => side * side,
);

describe('coarseLayers', () => {
  it('of Stable Diffusion: the 16×16 and 8×8 layers around the middle', () => {
    const indices = coarseLayers(stableDiffusion).flatMap((isCoarse, layer) => (isCoarse ? [layer] : []));
    expect(indices).toEqual([4, 5, 6, 7, 8, 9]);
  });

  it('do not depend on the scale of the latents', () => {
    expect(coarseLayers(stableDiffusion.map((positions) => positions / 64))).toEqual(
      coarseLayers(stableDiffusion),
    );
  });
});

describe('mixContexts', () => {
  /** Two layers of three numbers; each number tells whose it is, of which layer, step and role. */
  const contextsOf =
    (whose: number): PromptContexts =>
    (index) => {
      const at = (role: number) =>
        Float32Array.from(
          { length: 6 },
          (_, i) => 1000 * whose + 100 * role + 10 * Math.floor(i / 3) + index,
        );
      return { keys: at(0), values: at(1) };
    };
  const mixAt = (start: number) =>
    mixContexts({
      geometry: contextsOf(1),
      appearance: contextsOf(2),
      coarse: [true, false],
      start,
      timesteps: [900, 500, 100],
    });

  it('reads the geometry everywhere before the start', () => {
    expect(mixAt(500)(0)).toEqual(contextsOf(1)(0));
    expect(mixAt(-1)(2)).toEqual(contextsOf(1)(2));
  });

  it('from the start on, coarse layers read the geometry and the others the appearance', () => {
    const { keys, values } = mixAt(500)(1);
    expect([...keys]).toEqual([1001, 1001, 1001, 2011, 2011, 2011]);
    expect([...values]).toEqual([1101, 1101, 1101, 2111, 2111, 2111]);
  });

  it('leaves the contexts it was given alone', () => {
    const geometry = contextsOf(1)(0);
    const appearance = contextsOf(2)(0);
    mixContexts({
      geometry: () => geometry,
      appearance: () => appearance,
      coarse: [true, false],
      start: 900,
      timesteps: [900],
    })(0);
    expect([geometry, appearance]).toEqual([contextsOf(1)(0), contextsOf(2)(0)]);
  });
});
