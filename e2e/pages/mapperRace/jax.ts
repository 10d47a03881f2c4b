/** The mapper's step in jax-js: forward pass, its gradient and AdamW in one compiled function. */
import { defaultDevice, grad, init, jit, nn, numpy as np, type Array as JaxArray } from '@jax-js/jax';
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

type Tensors = Record<string, JaxArray>;

/** Functions own their arguments: each parameter is used once, `ref` keeps what is used again. */
function linear(x: JaxArray, p: Tensors, name: string): JaxArray {
  return np.matmul(x, p[`${name}.weight`]!.transpose()).add(p[`${name}.bias`]!);
}

function block(x: JaxArray, p: Tensors, linearName: string, normName: string): JaxArray {
  const normalised = nn.standardize(linear(x, p, linearName), -1, { epsilon: LAYER_NORM_EPSILON });
  const scaled = normalised.mul(p[`${normName}.weight`]!).add(p[`${normName}.bias`]!);
  return nn.leakyRelu(scaled, SLOPE);
}

function weightedOutput(p: Tensors, encoded: JaxArray, mask: JaxArray, upstream: JaxArray): JaxArray {
  const first = block(linear(encoded, p, 'input_layer'), p, 'net.1', 'net.2');
  const y = linear(block(first, p, 'net.4', 'net.5').mul(mask), p, 'output_layer.0');
  const norm = np.sqrt(np.sum(y.ref.mul(y.ref), -1, { keepdims: true }));
  return np.sum(y.mul(CONFIG.normScale).div(norm).mul(upstream));
}

interface Optimised {
  p: Tensors;
  m: Tensors;
  v: Tensors;
}

function update(
  { p, m, v }: Optimised,
  gradient: Tensors,
  stepSize: JaxArray,
  correction: JaxArray,
): Optimised {
  const next: Optimised = { p: {}, m: {}, v: {} };
  for (const name of Object.keys(p)) {
    const g = gradient[name]!;
    const first = m[name]!.mul(BETA1).add(g.ref.mul(1 - BETA1));
    const second = v[name]!.mul(BETA2).add(g.ref.mul(g).mul(1 - BETA2));
    const change = first.ref.mul(stepSize.ref).div(np.sqrt(second.ref).div(correction.ref).add(ADAM_EPSILON));
    next.p[name] = p[name]!.mul(1 - LEARNING_RATE * WEIGHT_DECAY).sub(change);
    next.m[name] = first;
    next.v[name] = second;
  }
  stepSize.dispose();
  correction.dispose();
  return next;
}

export async function jax(device: 'webgpu' | 'wasm', work: Work): Promise<Contender> {
  await init(device);
  const tensor = (values: Float32Array, shape: readonly number[]) =>
    np.array(values as Float32Array<ArrayBuffer>, { device }).reshape([...shape]);
  const shapes = [...parameterShapes(CONFIG)];
  const filled = (values: (name: string, size: number) => Float32Array): Tensors =>
    Object.fromEntries(
      shapes.map(([name, shape]) => [
        name,
        tensor(
          values(
            name,
            shape.reduce((a, b) => a * b),
          ),
          shape,
        ),
      ]),
    );
  const zeros = () => filled((_, size) => new Float32Array(size));
  defaultDevice(device);
  let now: Optimised = { p: filled((name) => work.state.get(name)!.slice()), m: zeros(), v: zeros() };
  const encoded = tensor(work.encoded, [ROWS, 2 * CONFIG.fourierFeatures]);
  const mask = tensor(keepMask(work), [ROWS, CONFIG.hidden]);
  const upstream = tensor(work.upstream, [ROWS, OUTPUTS]);
  const train = jit(
    (
      p: Tensors,
      m: Tensors,
      v: Tensors,
      x: JaxArray,
      kept: JaxArray,
      g: JaxArray,
      size: JaxArray,
      correction: JaxArray,
    ) => {
      const held = Object.fromEntries(Object.entries(p).map(([name, value]) => [name, value.ref]));
      const gradient = grad(weightedOutput)(held, x, kept, g) as Tensors;
      return update({ p, m, v }, gradient, size, correction) as never;
    },
  ) as unknown as (...args: unknown[]) => Optimised;
  let t = 0;
  return {
    name: `jax-js, ${device}`,
    step: async () => {
      const { stepSize, correction } = adamFactors(++t);
      now = train(
        now.p,
        now.m,
        now.v,
        encoded.ref,
        mask.ref,
        upstream.ref,
        np.array(stepSize, { device }),
        np.array(correction, { device }),
      );
      await now.p['net.1.bias']!.ref.data();
    },
    parameters: async () =>
      concatenated(
        (await Promise.all(shapes.map(([name]) => now.p[name]!.ref.data()))) as unknown as Float32Array[],
      ),
  };
}
