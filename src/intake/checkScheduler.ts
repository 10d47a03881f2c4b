/** A model's scheduler is read before the model is: what the studio cannot draw with is refused before anything is copied. */
import { readSchedulerConfig } from '../diffusion/schedulerConfig.ts';
import { missingFile } from '../lib/modelFiles.ts';
import { layout } from '../lib/modelLayout.ts';
import type { ModelPlan } from './plan.ts';
import { ANONYMOUS, request, type RequestOptions } from './request.ts';

/** Throws `model.config`, naming the field, `file.json`, and what asking a server throws. */
export async function checkScheduler({ title, files }: ModelPlan, options: RequestOptions): Promise<void> {
  const planned = files.find(({ path }) => path === layout.scheduler);
  await readSchedulerConfig(async (path) => {
    if (!planned) throw missingFile(title, path);
    const { from } = planned;
    return typeof from === 'string' ? (await request(from, ANONYMOUS, options)).blob() : from;
  });
}
