/**
 * npm run plan -- DIR [--resolution 512,256] [--batch 1] [--budget 2,1]
 *
 * What a training step of a model takes: a table of weights, peak of the activations, and operations computed twice, for
 * both precisions, without recomputation and within each budget (GB, activations). Reads the U-Net's graph and
 * configurations; the weights need not be there.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '../lib/errors.ts';
import { PRECISIONS } from '../lib/precision.ts';
import type { CompileOptions } from '../onnx/options.ts';
import type { MemoryPlan } from '../onnx/plan/choose.ts';
import { simulateMemory } from '../onnx/plan/memory.ts';
import { compileUnet } from '../onnx/prepare.ts';
import { readStock } from '../onnx/stock.ts';
import { HollowBlob } from '../onnx/testing/hollowBlob.ts';
import { openFolder } from '../lib/modelFolder.ts';
import { configPath, graphPath } from '../lib/modelLayout.ts';

const GIGA = 1e9;

/** Pixels along each side of a latent cell, in every version of Stable Diffusion. */
const PIXELS = 8;

/** Of CLIP's text encoder. */
const USUAL_TOKENS = 77;

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      resolution: { type: 'string' },
      batch: { type: 'string', default: '1' },
      budget: { type: 'string', default: '2,1' },
    },
  });
  const [folder] = positionals;
  if (!folder) throw new AppError('usage', 'expected a model folder: npm run plan -- DIR [--resolution 512]');
  const path = graphPath('unet');
  const stored = openFolder(folder);
  const stock = await readStock(path, async (name) => (name === path ? stored(name) : new HollowBlob()));
  const unet = await configIn(join(folder, configPath('unet')));
  const text = await configIn(join(folder, configPath('text_encoder'))).catch(() => ({}) as Config);
  const usual = (unet.sample_size ?? 64) * PIXELS;
  const rows = list(values.resolution ?? String(usual)).flatMap((resolution) =>
    optionsFor(Number(values.batch), list(values.budget)).map((options) => {
      const side = resolution / PIXELS;
      const sizes = {
        latent: [unet.in_channels ?? 4, side, side],
        tokens: text.max_position_embeddings ?? USUAL_TOKENS,
        contextWidth: unet.cross_attention_dim,
      };
      const { graph, plan } = compileUnet(stock, sizes, options);
      const whole = { ...simulateMemory(graph, options.batch), extraCompute: 0, segments: 1 };
      return rowOf(resolution, options, plan ?? whole);
    }),
  );
  console.table(rows);
}

interface Config {
  readonly in_channels?: number;
  readonly sample_size?: number;
  readonly cross_attention_dim?: number;
  readonly max_position_embeddings?: number;
}

async function configIn(path: string): Promise<Config> {
  return JSON.parse(await readFile(path, 'utf8')) as Config;
}

function list(text: string): number[] {
  return text.split(',').map(Number);
}

function optionsFor(batch: number, budgets: readonly number[]): (CompileOptions & { batch: number })[] {
  return PRECISIONS.flatMap((precision) => [
    { precision, batch },
    ...budgets.map((budget) => ({ precision, batch, activationBudget: budget * GIGA })),
  ]);
}

function rowOf(resolution: number, options: CompileOptions, plan: MemoryPlan) {
  const giga = (bytes: number) => (bytes / GIGA).toFixed(2);
  return {
    resolution,
    batch: options.batch,
    precision: options.precision,
    'budget GB': options.activationBudget === undefined ? 'none' : giga(options.activationBudget),
    'weights GB': giga(plan.weightBytes),
    'activations GB': giga(plan.activationBytes),
    'total GB': giga(plan.weightBytes + plan.activationBytes),
    'extra compute': `${(100 * plan.extraCompute).toFixed(1)} %`,
    segments: plan.segments,
  };
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
