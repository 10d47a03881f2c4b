/** A model's configurations are read before the model is: what the studio cannot draw with is refused before anything is copied. */
import { checkUnetConfig } from '../checkpoint/config.ts';
import { isCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { readSchedulerConfig } from '../diffusion/schedulerConfig.ts';
import { missingFile, readJson, type OpenFile } from '../lib/modelFiles.ts';
import { configPath } from '../lib/modelLayout.ts';
import type { ModelPlan } from './plan.ts';
import { fetchWhole, type RequestOptions } from './request.ts';

/** Throws `model.config` and `checkpoint.config`, naming the field, `file.json`, and what asking a server throws. */
export async function checkConfigurations(plan: ModelPlan, options: RequestOptions): Promise<void> {
  const open = openSmall(plan, options);
  await readSchedulerConfig(open);
  if (isCheckpoint(plan.files.map(({ path }) => path)))
    checkUnetConfig((await readJson(open, configPath('unet'))) ?? {});
}

/** Files of the plan, where they are. */
function openSmall({ title, files }: ModelPlan, options: RequestOptions): OpenFile {
  return async (path) => {
    const found = files.find((file) => file.path === path);
    if (!found) throw missingFile(title, path);
    const { from } = found;
    return typeof from === 'string' ? (await fetchWhole(from, options)).body : from;
  };
}
