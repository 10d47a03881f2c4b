/** Page of `src/tools/benchBuilds.ts`: how long the shipped base takes on WebGPU to load, and to train one picture. */
import type { Trainer } from '../../src/neti/trainer.ts';
import { opener, openRuntime } from './runtimes.ts';
import { openTrainer } from './trainers.ts';

const home = new URL('/models/sticker-world/', location.origin);

let trainer: Trainer;

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const stepTime = {
  /** Engine and sessions. */
  load: () =>
    seconds(async () => {
      ({ trainer } = await openTrainer(await openRuntime('webgpu'), opener(home), 1));
    }),
  step: () => seconds(() => trainer.step()),
};

export type StepTime = typeof stepTime;
Object.assign(window, { stepTime });
document.documentElement.dataset['ready'] = 'true';
