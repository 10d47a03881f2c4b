/** The mapper's step in TensorFlow.js. */
import '@tensorflow/tfjs-backend-webgpu';
import { setThreadsCount, setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients.js';
import { parameterShapes } from '../../../src/neti/mapperConfig.ts';
import {
  ADAM_EPSILON,
  adamFactors,
  BETA1,
  BETA2,
  concatenated,
  CONFIG,
  keepMask,
  LAYER_NORM_EPSILON,
  LEARNING_RATE,
  OUTPUTS,
  ROWS,
  SLOPE,
  WEIGHT_DECAY,
  type Contender,
  type Work,
} from './work.ts';

setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
// One thread, as the studio's mapper has.
setThreadsCount(1);

type Variables = Record<string, tf.Variable>;

function linear(x: tf.Tensor2D, p: Variables, name: string): tf.Tensor2D {
  const product = tf.matMul(x, p[`${name}.weight`] as unknown as tf.Tensor2D, false, true);
  return tf.add(product, p[`${name}.bias`]!);
}

function block(x: tf.Tensor2D, p: Variables, linearName: string, normName: string): tf.Tensor2D {
  const y = linear(x, p, linearName);
  const centred = tf.sub(y, tf.mean(y, -1, true));
  const variance = tf.mean(tf.square(centred), -1, true);
  const normalised = tf.div(centred, tf.sqrt(tf.add(variance, LAYER_NORM_EPSILON)));
  return tf.leakyRelu(
    tf.add(tf.mul(normalised, p[`${normName}.weight`]!), p[`${normName}.bias`]!) as tf.Tensor2D,
    SLOPE,
  );
}

function weightedOutput(p: Variables, encoded: tf.Tensor2D, mask: tf.Tensor2D, upstream: tf.Tensor2D) {
  const first = block(linear(encoded, p, 'input_layer'), p, 'net.1', 'net.2');
  const y = linear(tf.mul(block(first, p, 'net.4', 'net.5'), mask), p, 'output_layer.0');
  const norm = tf.sqrt(tf.sum(tf.square(y), -1, true));
  return tf.sum(tf.mul(tf.div(tf.mul(y, CONFIG.normScale), norm), upstream)) as tf.Scalar;
}

function update(p: tf.Variable, m: tf.Variable, v: tf.Variable, g: tf.Tensor, t: number): void {
  const { stepSize, correction } = adamFactors(t);
  const first = tf.add(tf.mul(m, BETA1), tf.mul(g, 1 - BETA1));
  const second = tf.add(tf.mul(v, BETA2), tf.mul(tf.square(g), 1 - BETA2));
  const change = tf.div(tf.mul(first, stepSize), tf.add(tf.div(tf.sqrt(second), correction), ADAM_EPSILON));
  p.assign(tf.sub(tf.mul(p, 1 - LEARNING_RATE * WEIGHT_DECAY), change));
  m.assign(first);
  v.assign(second);
}

export async function tfjs(backend: 'webgpu' | 'wasm', work: Work): Promise<Contender> {
  const use = async () => {
    if (tf.getBackend() !== backend && !(await tf.setBackend(backend)))
      throw new Error(`TensorFlow.js cannot start ${backend}.`);
    await tf.ready();
  };
  await use();
  const shapes = [...parameterShapes(CONFIG)] as [string, number[]][];
  const variables = (make: (name: string, shape: number[]) => tf.Tensor): Variables =>
    Object.fromEntries(shapes.map(([name, shape]) => [name, tf.variable(make(name, shape))]));
  const p = variables((name, shape) => tf.tensor(work.state.get(name)!.slice(), shape));
  const m = variables((_, shape) => tf.zeros(shape));
  const v = variables((_, shape) => tf.zeros(shape));
  const encoded = tf.tensor2d(work.encoded, [ROWS, 2 * CONFIG.fourierFeatures]);
  const mask = tf.tensor2d(keepMask(work), [ROWS, CONFIG.hidden]);
  const upstream = tf.tensor2d(work.upstream, [ROWS, OUTPUTS]);
  const names = new Map(shapes.map(([name]) => [p[name]!.name, name]));
  let t = 0;
  return {
    name: `tfjs, ${backend}`,
    step: async () => {
      await use();
      t++;
      tf.tidy(() => {
        const { grads } = tf.variableGrads(
          () => weightedOutput(p, encoded, mask, upstream),
          Object.values(p),
        );
        for (const [variable, gradient] of Object.entries(grads)) {
          const name = names.get(variable)!;
          update(p[name]!, m[name]!, v[name]!, gradient, t);
        }
      });
      await p['net.1.bias']!.data();
    },
    parameters: async () => {
      await use();
      return concatenated(await Promise.all(shapes.map(([name]) => p[name]!.data())));
    },
  };
}
