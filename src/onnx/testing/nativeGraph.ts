/** Runs prepared graphs in Node on the native onnxruntime, with weights from the files of a model's folder. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { tensorMaker } from './textRuns.ts';

/** A session of a graph whose external data lies in `folder`. */
export async function openNative(
  folder: string,
  graph: Uint8Array,
  options: InferenceSession.SessionOptions = {},
): Promise<InferenceSession> {
  const path = join(folder, `${randomUUID()}.onnx`);
  await writeFile(path, graph);
  try {
    // Without memory patterns, as in the studio (ort/runtime.ts).
    return await InferenceSession.create(path, { logSeverityLevel: 3, enableMemPattern: false, ...options });
  } finally {
    await rm(path);
  }
}

/** For runs of the text encoder. */
export const nativeTensors = tensorMaker(Tensor);

/** Whole numbers in the type that the session's input has. */
export function wholeNumbers(
  session: InferenceSession,
  input: string,
  values: readonly number[],
  dims: readonly number[],
): Tensor {
  const metadata = session.inputMetadata.find(({ name }) => name === input);
  const type = metadata?.isTensor ? metadata.type : undefined;
  if (type === 'int64') return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
  if (type === 'int32') return new Tensor('int32', Int32Array.from(values), dims);
  return new Tensor('float32', Float32Array.from(values), dims);
}
