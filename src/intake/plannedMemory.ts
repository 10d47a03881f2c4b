/**
 * Memory that training takes by the compiler's own plan, for a checkpoint wherever it is and for an ONNX model whose files are at hand: the
 * graphs are read or written without their weights and compiled as they will be. That takes seconds.
 */
import { isCheckpoint, isWeights, openCheckpoint } from '../checkpoint/openCheckpoint.ts';
import { missingFile, type OpenFile } from '../lib/modelFiles.ts';
import { readDefaults } from '../neti/baseDefaults.ts';
import { planTraining } from '../onnx/model.ts';
import type { MemoryUse } from '../onnx/plan/memory.ts';
import { plannedPictures } from '../onnx/options.ts';
import { compileOptions } from './compileOptions.ts';
import { throwIfCancelled } from '../lib/cancellation.ts';
import { fetchOutline } from './outline.ts';
import type { ModelPlan } from './plan.ts';
import type { MemoryEstimate, MemoryNeed } from './preflight.ts';
import { fetchWhole, type RequestOptions } from './request.ts';

/**
 * Of the precision that the engine will compute in; null for a model that must be fetched first. Throws AppError `onnx.…` and `checkpoint.…` when
 * the files are not of Stable Diffusion's form, what asking a server throws, and between graphs the signal's reason.
 * @param half whether the engine computes in half precision
 */
export async function plannedEstimates(
  plan: ModelPlan,
  half: boolean,
  signal: AbortSignal,
): Promise<MemoryEstimate[] | null> {
  const stock = openPlanned(plan, { signal });
  if (!stock) return null;
  const paths = plan.files.map(({ path }) => path);
  const open = isCheckpoint(paths) ? await openCheckpoint(paths, stock) : stock;
  const options = compileOptions(plan.totalBytes, half);
  const pictures = plannedPictures(options) ?? (await readDefaults(open)).batchSize;
  const { otherWeights, drawing, ...unet } = await planTraining(open, options, pictures, () =>
    throwIfCancelled(signal),
  );
  const whole = ({ weightBytes, ...use }: MemoryUse): MemoryNeed => ({
    ...use,
    weightBytes: weightBytes + 4 * otherWeights,
    planned: true,
  });
  return [{ precision: options.precision, draw: whole(drawing), train: whole(unet) }];
}

/**
 * Opens the plan's files where they are. Of checkpoints elsewhere the headers are fetched, which tell all that a plan needs; null for
 * an ONNX model elsewhere, whose structure lies among its weights.
 */
function openPlanned({ title, files }: ModelPlan, options: RequestOptions): OpenFile | null {
  const isHere = files.every(({ from }) => typeof from !== 'string');
  if (!isHere && !isCheckpoint(files.map(({ path }) => path))) return null;
  const sources = new Map(files.map(({ path, from }) => [path, from]));
  const opened = new Map<string, Promise<Blob>>();
  return (path) => {
    const source = sources.get(path);
    if (source === undefined) return Promise.reject(missingFile(title, path));
    const file = opened.get(path) ?? openSource(source, path, options);
    opened.set(path, file);
    return file;
  };
}

async function openSource(from: string | File, path: string, options: RequestOptions): Promise<Blob> {
  if (typeof from !== 'string') return from;
  if (!isWeights(path)) return (await fetchWhole(from, options)).body;
  return (await fetchOutline(from, options)) ?? new Blob([]);
}
