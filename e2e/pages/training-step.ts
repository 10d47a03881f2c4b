/**
 * Test page: the same training steps of the micro model on both providers. `window.trainSteps(provider)` returns the losses
 * and the mapper's parameters after each run; same seed, so same pictures, noise, timesteps and dropout.
 */
import { Pipeline } from '../../src/diffusion/pipeline.ts';
import { overlaid, type OpenFile } from '../../src/lib/modelFiles.ts';
import { Random } from '../../src/lib/random.ts';
import { createBridge } from '../../src/neti/bridge.ts';
import { createMapper } from '../../src/neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../../src/neti/mapperConfig.ts';
import { officialDefaults } from '../../src/neti/baseDefaults.ts';
import { trainSettingsOn } from '../../src/neti/settings.ts';
import { Trainer } from '../../src/neti/trainer.ts';
import { prepareModel } from '../../src/onnx/model.ts';
import { complaints, openRuntime, opener, type Provider } from './runtimes.ts';

const home = new URL('/src/onnx/fixtures/micro/', location.origin);

const stock = opener(home);

/** Stock files from the server, prepared ones compiled here, as the studio does for a model it was not shipped with. */
async function modelOpener(): Promise<OpenFile> {
  const prepared = await prepareModel(stock);
  return overlaid(prepared, stock);
}

async function trainSteps(provider: Provider, steps: number) {
  const runtime = await openRuntime(provider);
  const pipeline = await Pipeline.load(runtime, await modelOpener());
  const bridge = createBridge(runtime);
  const random = new Random(3);
  const { layers, contextWidth, latent } = pipeline.shape;
  const mapper = createMapper(
    bridge.backend,
    {
      ...MAPPER_DEFAULTS,
      layers,
      contextWidth,
      normScale: Math.hypot(...(await pipeline.tokenEmbedding(5))),
    },
    random,
  );
  const size = latent[0] * latent[1] * latent[2];
  const straight = {
    mean: random.fillNormal(new Float32Array(size)),
    logvar: new Float32Array(size).fill(-6),
  };
  const settings = { ...trainSettingsOn(officialDefaults), batchSize: 2 };
  const templates = ['a {}'];
  const pictures = [{ straight, mirrored: null }];
  const trainer = new Trainer({ pipeline, bridge, mapper, pictures, templates, settings, random });
  const live = bridge.backend.liveBuffers;
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) losses.push((await trainer.step()).loss);
  const leaked = bridge.backend.liveBuffers - live;
  const state = [...(await mapper.state())].map(([name, values]) => [name, Array.from(values)] as const);
  return { losses, leaked, complaints, state: Object.fromEntries(state) };
}

export type TrainSteps = typeof trainSteps;
Object.assign(window, { trainSteps });
document.documentElement.dataset['ready'] = 'true';
