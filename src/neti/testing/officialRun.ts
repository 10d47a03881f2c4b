/** What fixtures/make_official.py gave the official implementation, for a run of ours on the same model: pictures, prompts, mapper. */
import type { Pipeline } from '../../diffusion/pipeline.ts';
import { Random } from '../../lib/random.ts';
import { flipPlanes, toPlanes } from '../../pictures/pixels.ts';
import type { createBridge } from '../bridge.ts';
import { createMapper, type Mapper } from '../mapper.ts';
import { MAPPER_DEFAULTS } from '../mapperConfig.ts';
import type { TrainingPicture } from '../trainer.ts';

export const OFFICIAL_RUN_TEMPLATES = [
  'a photo of a {}',
  'the photo of a {}',
  'a photo of my {}',
  'a photo of the {}',
  'a photo of one {}',
];

export async function officialPictures(pipeline: Pipeline): Promise<TrainingPicture[]> {
  const random = new Random(2);
  const { resolution: side } = pipeline.shape;
  const read = async () => {
    const data = new Uint8ClampedArray(4 * side * side);
    for (let i = 0; i < data.length; i++) data[i] = i % 4 === 3 ? 255 : random.int(256);
    const planes = toPlanes({ width: side, height: side, data });
    const mirrored = await pipeline.encodeImages(flipPlanes(planes, side), 1);
    return { straight: await pipeline.encodeImages(planes, 1), mirrored };
  };
  return [await read(), await read()];
}

/** The mapper as the official code was given it, for the category "c". */
export async function officialMapper(
  pipeline: Pipeline,
  bridge: ReturnType<typeof createBridge>,
  textualBypass: boolean,
): Promise<Mapper> {
  const { layers, contextWidth } = pipeline.shape;
  const category = await pipeline.tokenEmbedding(pipeline.tokenizer.singleToken('c'));
  const normScale = Math.hypot(...category);
  const config = { ...MAPPER_DEFAULTS, layers, contextWidth, textualBypass, normScale };
  return createMapper(bridge.backend, config, new Random(1));
}
