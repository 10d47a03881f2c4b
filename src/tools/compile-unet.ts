/**
 * tsx src/tools/compile-unet.ts STOCK TARGET PRECISION [BUDGET]
 *
 * Compiles one U-Net's ONNX file into its training graph, in `float32` or `float16`, with a budget in bytes for the
 * activations of one picture: for experiments with the compiler itself.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { CompileOptions } from '../onnx/options.ts';
import { prepareUnet } from '../onnx/prepare.ts';

const [stock, target, precision, budget] = process.argv.slice(2);
if (!stock || !target || (precision !== 'float32' && precision !== 'float16')) {
  console.error('usage: tsx src/tools/compile-unet.ts STOCK TARGET float32|float16 [BUDGET]');
  process.exit(1);
}
const bytes = new Uint8Array(await readFile(stock));
const options: CompileOptions = { precision, ...(budget && { activationBudget: Number(budget) }) };
await writeFile(target, prepareUnet({ path: 'unet/model.onnx', bytes }, {}, options).bytes);
