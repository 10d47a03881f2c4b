/**
 * Page of `src/tools/benchMapper.ts`: one training step of the mapper, ours and in other libraries, in turn in one tab.
 * All start from the same weights; how far their parameters are from ours after the same steps says that they do the same.
 */
import { relativeError } from '../../src/lib/numbers.ts';
import { jax } from './mapperRace/jax.ts';
import { ours } from './mapperRace/ours.ts';
import { tfjs } from './mapperRace/tfjs.ts';
import { drawWork } from './mapperRace/work.ts';

/** Steps after which parameters are compared; later ones drift apart by rounding, as AdamW divides by small moments. */
const COMPARED_STEPS = 3;
const WARM_UP = 2;

export interface RaceResult {
  readonly name: string;
  /** Milliseconds of each timed step. */
  readonly times: readonly number[];
  /** ‖p − ours‖ / ‖ours‖ over all parameters after three steps, ours on the processor. */
  readonly error: number;
}

async function race(provider: 'webgpu' | 'wasm', repeats: number): Promise<RaceResult[]> {
  const work = await drawWork();
  const witness = await ours('wasm', work);
  for (let i = 0; i < COMPARED_STEPS; i++) await witness.step();
  const expected = await witness.parameters();
  const contenders = [await ours(provider, work), await jax(provider, work), await tfjs(provider, work)];
  const results = [];
  for (const contender of contenders) {
    for (let i = 0; i < COMPARED_STEPS; i++) await contender.step();
    const error = relativeError(await contender.parameters(), expected);
    results.push({ name: contender.name, times: [] as number[], error });
  }
  for (let i = 0; i < WARM_UP + repeats; i++) {
    for (const [j, { step }] of contenders.entries()) {
      const start = performance.now();
      await step();
      if (i >= WARM_UP) results[j]!.times.push(performance.now() - start);
    }
  }
  return results;
}

const mapperRace = { race };
export type MapperRace = typeof mapperRace;
Object.assign(window, { mapperRace });
document.documentElement.dataset['ready'] = 'true';
