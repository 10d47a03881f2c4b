/**
 * Prepares the judge of a base model, where it has one: an image and a text encoder that measure pictures. They train
 * nothing, so they stay as they are, in float32 and with their weights left in the stock files.
 */
import type { OpenFile } from '../lib/modelFiles.ts';
import { graphPath, JUDGE_PARTS, preparedPath } from '../lib/modelLayout.ts';
import type { OnGraph } from './options.ts';
import { prepareUnchanged } from './prepare.ts';
import { readStock } from './stock.ts';

/** Prepared files by path from the model's folder. Throws AppError `onnx.…`, and what `open` and `onGraph` throw. */
export async function prepareJudge(
  open: OpenFile,
  onGraph: OnGraph = () => undefined,
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const part of JUDGE_PARTS) {
    await onGraph(part);
    const stock = await readStock(graphPath(part), open);
    const input = part === 'judge_image' ? 'pixel_values' : 'input_ids';
    files.set(preparedPath(part), prepareUnchanged(stock, { [input]: [] }).bytes);
  }
  return files;
}
