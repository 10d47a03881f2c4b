/** The judge of the open base, loaded when a picture is scored for the first time. */
import { Judge, type Scores } from '../diffusion/judge.ts';
import type { Pipeline } from '../diffusion/pipeline.ts';
import { AppError } from '../lib/errors.ts';
import type { BaseModel } from './baseModel.ts';

export class LazyJudge {
  private judge: Promise<Judge> | null = null;

  constructor(
    private readonly base: BaseModel,
    private readonly pipeline: Pipeline,
  ) {}

  /** See `Judge.score`. Throws `judge.none` when the base has no judge. */
  async score(...request: Parameters<Judge['score']>): Promise<Scores[]> {
    this.judge ??= this.load().catch((error: unknown) => {
      // The next picture tries again.
      this.judge = null;
      throw error;
    });
    return (await this.judge).score(...request);
  }

  async release(): Promise<void> {
    const judge = await this.judge?.catch(() => null);
    await judge?.release();
  }

  private load(): Promise<Judge> {
    const { title, judged, open } = this.base;
    if (!judged)
      throw new AppError('judge.none', `No judge comes with ${title}, so its pictures have no scores.`);
    const { runtime, tokenizer, shape } = this.pipeline;
    return Judge.load({ runtime, open, tokenizer, resolution: shape.resolution });
  }
}
