/**
 * What differentiation costs: the stock U-Net's forward pass (in float32, shape arithmetic already folded) against
 * the prepared graph's forward pass and its forward and backward pass, on the WebAssembly provider, all
 * optimisations on. The three run in turn within one process, so that other load on the machine meets all alike.
 */
import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tensor, type InferenceSession } from 'onnxruntime-web';
import { sizeOf } from '../lib/numbers.ts';
import { prepareUnchanged, prepareUnet } from '../onnx/prepare.ts';
import { readStock } from '../onnx/stock.ts';
import type { UnetShape } from '../onnx/surgery/unet.ts';
import { unetFlags } from '../onnx/testing/unetFlags.ts';
import { floatTensor, openGraph, webTensors } from '../onnx/testing/webGraph.ts';
import { graphPath } from '../lib/modelLayout.ts';

const STOCK = graphPath('unet');
const WARM_UP = 2;

export interface UnetBenchOptions {
  readonly batch: number;
  readonly repeats: number;
  readonly threads: number;
}

/** Medians in milliseconds, and their ratios to the stock forward pass. */
export interface UnetBench {
  readonly stockForward: number;
  readonly forward: number;
  readonly forwardBackward: number;
  readonly forwardRatio: number;
  readonly forwardBackwardRatio: number;
}

type Feeds = Record<string, Tensor>;
type Run = () => Promise<unknown>;

/** Measures the U-Net of a model folder. */
export async function benchUnet(folder: string, options: UnetBenchOptions): Promise<UnetBench> {
  const bytes = new Uint8Array(await readFile(join(folder, STOCK)));
  const stock = await readStock(STOCK, (path) => openAsBlob(join(folder, path)));
  const open = (graph: Uint8Array) => openGraph(graph, [{ path: STOCK, data: bytes }], options.threads);
  const { bytes: prepared, info } = prepareUnet(stock);
  const sessions = [await open(prepareUnchanged(stock, {}).bytes), await open(prepared)] as const;
  const medians = await interleave(runsOf(sessions, info, options.batch), options.repeats);
  for (const session of sessions) await session.release();
  const [stockForward, forward, forwardBackward] = medians as [number, number, number];
  const ratios = {
    forwardRatio: forward / stockForward,
    forwardBackwardRatio: forwardBackward / stockForward,
  };
  return { stockForward, forward, forwardBackward, ...ratios };
}

function runsOf(
  sessions: readonly [InferenceSession, InferenceSession],
  shape: UnetShape,
  batch: number,
): Run[] {
  const { layers, tokens, contextWidth, latent } = shape;
  const timestep = new Tensor('int64', new BigInt64Array(batch).fill(500n), [batch]);
  const shared: Feeds = { sample: waves([batch, ...latent]), timestep };
  const stacked = [layers, batch, tokens, contextWidth];
  const stockFeeds = { ...shared, encoder_hidden_states: waves(stacked.slice(1)) };
  const feeds = {
    ...shared,
    key_contexts: waves(stacked),
    value_contexts: waves(stacked),
    target: waves([batch, ...latent]),
    loss_weights: waves([batch]),
  };
  const prepared = (gradients: boolean) => () =>
    sessions[1].run({ ...feeds, ...unetFlags(webTensors, gradients) });
  return [() => sessions[0].run(stockFeeds), prepared(false), prepared(true)];
}

/** Numbers of unit size without a random generator. */
function waves(dims: readonly number[]): Tensor {
  return floatTensor(
    Float32Array.from({ length: sizeOf(dims) }, (_, i) => Math.SQRT2 * Math.sin(1.37 * i)),
    dims,
  );
}

async function interleave(runs: readonly Run[], repeats: number): Promise<number[]> {
  const times = runs.map((): number[] => []);
  for (let round = -WARM_UP; round < repeats; round++)
    for (const [i, run] of runs.entries()) {
      const start = performance.now();
      await run();
      if (round >= 0) times[i]!.push(performance.now() - start);
    }
  return times.map((list) => list.toSorted((a, b) => a - b)[list.length >> 1]!);
}
