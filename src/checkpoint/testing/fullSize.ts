/**
 * Stable Diffusion 1.5 at its real width, as fixtures/make_full_size.py leaves it in one file: its graphs, and the runs whose results it
 * compares with PyTorch's, on either build of onnxruntime.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { missingFile, type OpenFile } from '../../lib/modelFiles.ts';
import { configPath, graphPath, layout, NETWORKS } from '../../lib/modelLayout.ts';
import { prepareModel } from '../../onnx/model.ts';
import { runContexts, type TensorMaker } from '../../onnx/testing/textRuns.ts';
import { unetFlags } from '../../onnx/testing/unetFlags.ts';
import { openCheckpoint } from '../openCheckpoint.ts';
import { fill } from './fill.ts';

const LAYERS = 16;
const CONTEXT = [1, 77, 768];
const SIDE = 32;
const LATENT = [1, 4, SIDE, SIDE];
/** As the page compiles a model of this size (intake/compileOptions.ts). */
const OPTIONS = { precision: 'float32', activationBudget: 2e9, batch: 1 } as const;

type Session = Pick<InferenceSession, 'inputMetadata' | 'outputNames' | 'run'>;

/** The file as a model folder, and its compiled graphs by path; `stage` hears of each that is done. */
export async function openFullSize(file: Blob, stage: (name: string) => void) {
  const open: OpenFile = (path) => {
    if (path === layout.checkpoint) return Promise.resolve(file);
    if (path === configPath('unet')) return Promise.resolve(new Blob([`{"sample_size":${SIDE}}`]));
    return Promise.reject(missingFile('the full-size model', path));
  };
  const stock = await openCheckpoint([layout.checkpoint], open);
  for (const part of NETWORKS) await stock(graphPath(part));
  stage('opened');
  const graphs = await prepareModel(stock, OPTIONS);
  stage('compiled');
  return { stock, graphs };
}

const floats = (found: { readonly data: unknown } | undefined) => found?.data as Float32Array;

function input({ Tensor }: TensorMaker, name: string, dims: readonly number[]): Tensor {
  const values = fill(name, dims).map((x) => 8 * x);
  return new Tensor('float32', values, dims);
}

/** The text encoder's contexts, [77, 768]. */
export async function runText(session: Session, make: TensorMaker): Promise<Float32Array> {
  const ids = BigInt64Array.from({ length: 77 }, (_, i) => BigInt((i * 641) % 49_408));
  const zeros = (...dims: number[]) => make.zeros(dims, false);
  const feeds = {
    input_ids: new make.Tensor('int64', ids, [1, 77]),
    placeholder_mask: zeros(1, 77, 1),
    concept_embedding: zeros(1, 1, 768),
    concept_bypass: zeros(1, 768),
    bypass_scale: zeros(),
  };
  const { outputs } = await runContexts(session, feeds, make);
  return floats(outputs['key_contexts']);
}

/** The VAE decoder's pixels, [3, 256, 256]. */
export async function runDecoder(session: Session, make: TensorMaker): Promise<Float32Array> {
  const { sample } = await session.run({ latent_sample: input(make, 'latent', LATENT) });
  return floats(sample);
}

/** The U-Net's prediction, its loss, and the gradient towards the one context that all layers read; zero where none is asked for. */
export async function runUnet(session: Session, make: TensorMaker, gradients: boolean) {
  const one = floats(input(make, 'context', CONTEXT));
  const all = new Float32Array(LAYERS * one.length);
  for (let layer = 0; layer < LAYERS; layer++) all.set(one, layer * one.length);
  const contexts = new make.Tensor('float32', all, [LAYERS, ...CONTEXT]);
  const outputs = await session.run({
    sample: input(make, 'sample', LATENT),
    target: input(make, 'target', LATENT),
    timestep: new make.Tensor('float32', Float32Array.of(501), [1]),
    key_contexts: contexts,
    value_contexts: contexts,
    loss_weights: new make.Tensor('float32', Float32Array.of(1), [1]),
    ...unetFlags(make, gradients),
  });
  const gradient = new Float32Array(one.length);
  for (const name of ['grad_key_contexts', 'grad_value_contexts'])
    floats(outputs[name]).forEach((x, i) => (gradient[i % one.length]! += x));
  return { unet: floats(outputs['out_sample']), gradient, loss: floats(outputs['losses'])[0]! };
}
