/**
 * Test page: the same training steps of the micro model on both providers. `window.trainSteps(provider)` returns the losses
 * and the mapper's parameters after each run; same seed, so same pictures, noise, timesteps and dropout.
 */
import { overlaid, type OpenFile } from '../../src/lib/modelFiles.ts';
import { prepareModel } from '../../src/onnx/model.ts';
import { complaints, openRuntime, opener, type Provider } from './runtimes.ts';
import { openTrainer } from './trainers.ts';

const home = new URL('/src/onnx/fixtures/micro/', location.origin);

const stock = opener(home);

/** Stock files from the server, prepared ones compiled here, as the studio does for a model it was not shipped with. */
async function modelOpener(): Promise<OpenFile> {
  const prepared = await prepareModel(stock);
  return overlaid(prepared, stock);
}

async function trainSteps(provider: Provider, steps: number) {
  const runtime = await openRuntime(provider);
  const { trainer, mapper, backend } = await openTrainer(runtime, await modelOpener(), 2);
  const live = backend.liveBuffers;
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.step()).loss);
  const leaked = backend.liveBuffers - live;
  const state = [...(await mapper.state())].map(([name, values]) => [name, Array.from(values)] as const);
  return { losses, leaked, complaints, state: Object.fromEntries(state) };
}

export type TrainSteps = typeof trainSteps;
Object.assign(window, { trainSteps });
document.documentElement.dataset['ready'] = 'true';
