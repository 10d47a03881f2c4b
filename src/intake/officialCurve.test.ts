/** Training on a checkpoint of PyTorch follows the official implementation's losses, as on the same model's ONNX graphs (neti/official.test.ts). */
import * as ort from 'onnxruntime-web';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { Pipeline } from '../diffusion/pipeline.ts';
import { overlaid } from '../lib/modelFiles.ts';
import { relativeError } from '../lib/numbers.ts';
import { OFFICIAL_DEFAULTS, trainSettingsOn } from '../neti/baseDefaults.ts';
import { createBridge } from '../neti/bridge.ts';
import {
  officialCheckpoint,
  openOfficialModel,
  readOfficialGoldens,
  RecordedRandom,
} from '../neti/testing/officialGoldens.ts';
import { officialMapper, officialPictures, OFFICIAL_RUN_TEMPLATES } from '../neti/testing/officialRun.ts';
import { Trainer } from '../neti/trainer.ts';
import { prepareModel } from '../onnx/model.ts';
import { Runtime } from '../ort/runtime.ts';

it('the losses of ten steps are the official ones', { timeout: 300_000 }, async () => {
  const files = await officialCheckpoint();
  const open = await openCheckpoint([...files.keys()], overlaid(files, openOfficialModel));
  ort.env.wasm.numThreads = 2;
  const runtime = new Runtime({ ort, provider: 'wasm' });
  const pipeline = await Pipeline.load(runtime, overlaid(await prepareModel(open), open));
  const bridge = createBridge(runtime);
  const goldens = await readOfficialGoldens();
  const random = new RecordedRandom(goldens.get('stream')!);
  const trainer = new Trainer({
    pipeline,
    bridge,
    mapper: await officialMapper(pipeline, bridge, true),
    pictures: await officialPictures(pipeline),
    templates: OFFICIAL_RUN_TEMPLATES,
    settings: trainSettingsOn(OFFICIAL_DEFAULTS),
    random,
  });
  const curve: number[] = [];
  while (!random.exhausted) curve.push((await trainer.step()).loss);
  expect(curve).toHaveLength(10);
  expect(relativeError(curve, goldens.get('bypass.curve')!)).toBeLessThanOrEqual(1e-3);
  trainer.release();
});
