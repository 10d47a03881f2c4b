/**
 * Memory that training takes by the compiler's own plan, for a model whose files are at hand: the graphs are read without their
 * weights and compiled as they will be. That takes seconds. What drawing takes stays a rule of thumb, of the weights counted.
 */
import { isCheckpoint, openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { planTraining } from '../onnx/model.ts';
import { plannedPictures } from '../onnx/options.ts';
import { compileOptions } from './compileOptions.ts';
import { throwIfCancelled } from '../lib/cancellation.ts';
import type { ModelPlan } from './plan.ts';
import { estimatesFromWeights, type MemoryEstimate } from './preflight.ts';

/**
 * Of the precision that the engine will compute in; null for a model that must be fetched first. Throws AppError `onnx.…` when
 * the files are not of Stable Diffusion's form, and between graphs the signal's reason.
 * @param half whether the engine computes in half precision
 */
export async function plannedEstimates(
  plan: ModelPlan,
  half: boolean,
  signal: AbortSignal,
): Promise<MemoryEstimate[] | null> {
  const stock = openPlanned(plan);
  if (!stock) return null;
  const paths = plan.files.map(({ path }) => path);
  const open = isCheckpoint(paths) ? await openCheckpoint(paths, stock) : stock;
  const options = compileOptions(plan.totalBytes, half);
  const pictures = plannedPictures(options) ?? (await readDefaults(open)).batchSize;
  const { unetWeights, otherWeights, ...unet } = await planTraining(open, options, pictures, () =>
    throwIfCancelled(signal),
  );
  const train = { ...unet, weightBytes: unet.weightBytes + 4 * otherWeights, planned: true };
  return estimatesFromWeights({ unet: unetWeights, others: otherWeights }, plan.totalBytes)
    .filter(({ precision }) => precision === options.precision)
    .map((estimate) => ({ ...estimate, train }));
}

/** Opens the plan's files on the user's own disk; null when some are elsewhere. */
function openPlanned({ title, files }: ModelPlan): OpenFile | null {
  const contents = new Map<string, File>();
  for (const { path, from } of files) {
    if (typeof from === 'string') return null;
    contents.set(path, from);
  }
  return (path) => {
    const content = contents.get(path);
    return content ? Promise.resolve(content) : Promise.reject(missingFile(title, path));
  };
}
