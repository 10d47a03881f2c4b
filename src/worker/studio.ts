/** Everything a call of the worker needs once a base model is open. */
import type { Pipeline } from '../diffusion/pipeline.ts';
import type { Mutex } from '../lib/mutex.ts';
import type { Bridge } from '../neti/bridge.ts';
import type { BaseModel } from './baseModel.ts';
import type { LazyJudge } from './lazyJudge.ts';
import type { Painter } from './painter.ts';
import type { PictureEncoder } from './pictureEncoder.ts';
import type { SpaceTimeReader } from './spaceTimeReader.ts';

export interface Studio {
  readonly base: BaseModel;
  readonly pipeline: Pipeline;
  readonly bridge: Bridge;
  readonly encoder: PictureEncoder;
  readonly painter: Painter;
  readonly maps: SpaceTimeReader;
  readonly judge: LazyJudge;
  /** Heavy work takes turns through it. */
  readonly mutex: Mutex;
}
