/**
 * tsx src/tools/compileUnet.ts STOCK TARGET [--precision float16] [--batch 8] [--budget BYTES]
 *
 * Compiles one U-Net's ONNX file into its training graph and prints, as JSON, the memory planned for a step: for
 * measurements of the compiler (src/onnx/fixtures/*.py).
 */
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { CompileOptions } from '../onnx/options.ts';
import { simulateMemory } from '../onnx/plan/memory.ts';
import { compileUnet, prepareUnet } from '../onnx/prepare.ts';
import { readStock } from '../onnx/stock.ts';
import { graphPath } from '../lib/modelLayout.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: 'string', default: 'float32' },
    batch: { type: 'string', default: '1' },
    budget: { type: 'string' },
  },
});
const [stock, target] = positionals as [string, string];
const options: CompileOptions = {
  precision: values.precision === 'float16' ? 'float16' : 'float32',
  batch: Number(values.batch),
  ...(values.budget && { activationBudget: Number(values.budget) }),
};
const file = await readStock(graphPath('unet'), () => openAsBlob(stock));
const { graph, plan } = compileUnet(file, {}, options);
await writeFile(target, prepareUnet(file, {}, options).bytes);
console.log(JSON.stringify(plan ?? simulateMemory(graph, Number(values.batch))));
