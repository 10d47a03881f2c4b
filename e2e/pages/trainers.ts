/** A trainer in a test page: one picture of random latents, the same for one seed. */
import { Pipeline } from '../../src/diffusion/pipeline.ts';
import { sizeOf } from '../../src/lib/numbers.ts';
import type { OpenFile } from '../../src/lib/modelFiles.ts';
import { Random } from '../../src/lib/random.ts';
import { createBridge } from '../../src/neti/bridge.ts';
import { createMapper } from '../../src/neti/mapper.ts';
import { MAPPER_DEFAULTS } from '../../src/neti/mapperConfig.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../../src/neti/baseDefaults.ts';
import { Trainer } from '../../src/neti/trainer.ts';
import type { Runtime } from '../../src/ort/runtime.ts';

export async function openTrainer(runtime: Runtime, open: OpenFile, batchSize: number) {
  const pipeline = await Pipeline.load(runtime, open);
  const bridge = createBridge(runtime);
  const random = new Random(3);
  const { layers, contextWidth, latent } = pipeline.shape;
  const normScale = Math.hypot(...(await pipeline.tokenEmbedding(5)));
  const config = { ...MAPPER_DEFAULTS, layers, contextWidth, normScale };
  const mapper = createMapper(bridge.backend, config, random);
  const size = sizeOf(latent);
  const straight = {
    mean: random.fillNormal(new Float32Array(size)),
    logvar: new Float32Array(size).fill(-6),
  };
  const settings = { ...trainSettingsOn(OFFICIAL_DEFAULTS), batchSize };
  const templates = ['a {}'];
  const pictures = [{ straight, mirrored: null }];
  const trainer = new Trainer({ pipeline, bridge, mapper, pictures, templates, settings, random });
  return { trainer, mapper, backend: bridge.backend };
}
