/**
 * Layers as PyTorch defines them, written into an ONNX graph. A layer's weights are named by its place in the model
 * and stay in the user's file: the graph holds their offsets. Values are [B, C, H, W] pictures or [B, T, C] rows, the batch free.
 */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import type { DType } from '../lib/safetensors.ts';
import { Builder } from '../onnx/builder.ts';
import { BATCH, countElements, fixedDim, type Dim } from '../onnx/dims.ts';
import { float, Graph, int, ints, text, type ElementType } from '../onnx/graph.ts';
import { PREPARED_OPSET } from '../onnx/passes/specialize.ts';
import { writeModel } from '../onnx/write.ts';
import type { Weights } from './weights.ts';

/** Element types of weights, by what safetensors calls them. */
const ELEMENT_TYPES: Partial<Record<DType, ElementType>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
};

export interface ConvOptions {
  readonly stride?: number;
  /** Top, left, bottom, right; by default what keeps the picture's size at stride 1. */
  readonly pads?: readonly number[];
}

export class Layers {
  readonly graph = new Graph(PREPARED_OPSET);
  readonly at = new Builder(this.graph, this.graph.nodes, '');

  constructor(readonly weights: Weights) {}

  input(name: string, type: 'float32' | 'int64', dims: readonly number[]): string {
    return this.graph.addInput(name, { type, dims: [BATCH, ...dims] });
  }

  /** The ONNX file with this value as its one output. */
  finish(output: string, name: string): Uint8Array {
    this.at.named(name, 'Identity', [output]);
    this.graph.outputs.push(name);
    return writeModel(this.graph, new Map());
  }

  /** A stored weight, read as of these dimensions where they are another view of its shape. */
  weight(name: string, dims?: readonly number[]): string {
    const { dtype, shape, location, offset, length } = this.weights.get(name);
    const type = ELEMENT_TYPES[dtype];
    if (!type) throw this.unexpected(name, `numbers of F32, F16 or BF16`, dtype);
    if (dims && sizeOf(dims) !== sizeOf(shape)) throw this.misshapen(name, dims);
    return this.graph.addConstant(name, {
      type: 'float32',
      dims: dims ?? shape,
      content: { kind: 'stored', type, location, offset, length, bytes: undefined },
    });
  }

  private bias(name: string, dims?: readonly number[]): string[] {
    return this.weights.has(`${name}.bias`) ? [this.weight(`${name}.bias`, dims)] : [];
  }

  /** x·Wᵀ + b over the last axis; W [out, in] lies as PyTorch keeps it, or as the convolution of 1 × 1 that it equals. */
  linear(x: string, name: string): string {
    const [out = 0, ...rest] = this.weights.get(`${name}.weight`).shape;
    const dims = this.at.dims(x);
    const inner = fixedDim(dims.at(-1), name);
    if (sizeOf(rest) !== inner) throw this.misshapen(`${name}.weight`, [out, inner]);
    const rows = this.at.reshape(x, [countElements(dims.slice(0, -1)), inner]);
    const inputs = [rows, this.weight(`${name}.weight`, [out, inner]), ...this.bias(name, [out])];
    return this.at.reshape(this.at.op('Gemm', inputs, { transB: int(1) }), [...dims.slice(0, -1), out]);
  }

  conv(x: string, name: string, { stride = 1, pads }: ConvOptions = {}): string {
    const { shape } = this.weights.get(`${name}.weight`);
    const [out = 0, channels, ...kernel] = shape;
    const found = fixedDim(this.at.dims(x)[1], name);
    if (shape.length !== 4 || channels !== found) throw this.misshapen(`${name}.weight`, [out, found, 3, 3]);
    const around = kernel.map((size) => (size - 1) / 2);
    return this.at.op('Conv', [x, this.weight(`${name}.weight`), ...this.bias(name, [out])], {
      kernel_shape: ints(kernel),
      pads: ints(pads ?? [...around, ...around]),
      strides: ints([stride, stride]),
    });
  }

  /** As PyTorch's exporter spells it: an instance normalization of the groups. */
  groupNorm(x: string, name: string, groups: number, epsilon: number): string {
    const dims = this.at.dims(x);
    const channels = fixedDim(dims[1], name);
    const grouped = this.at.reshape(x, [dims[0]!, groups, (countElements(dims.slice(1)) as number) / groups]);
    const [ones, zeros] = [1, 0].map((value) =>
      this.at.constant('float32', [groups], new Array<number>(groups).fill(value)),
    );
    const unit = this.at.op('InstanceNormalization', [grouped, ones!, zeros!], { epsilon: float(epsilon) });
    const scaled = this.at.op('Mul', [
      this.at.reshape(unit, dims),
      this.weight(`${name}.weight`, [channels, 1, 1]),
    ]);
    return this.at.op('Add', [scaled, this.weight(`${name}.bias`, [channels, 1, 1])]);
  }

  layerNorm(x: string, name: string, epsilon = 1e-5): string {
    const inputs = [x, this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return this.at.op('LayerNormalization', inputs, { axis: int(-1), epsilon: float(epsilon) });
  }

  add(a: string, b: string): string {
    return this.at.op('Add', [a, b]);
  }

  /** x·σ(αx): SiLU, or CLIP's quick GELU at 1.702. */
  gated(x: string, alpha: number): string {
    return this.at.op('Mul', [x, this.at.op('Sigmoid', [this.at.scale(x, alpha)])]);
  }

  silu(x: string): string {
    return this.gated(x, 1);
  }

  gelu(x: string): string {
    return this.at.op('Gelu', [x]);
  }

  /** Twice the height and width, each pixel repeated. */
  upsample(x: string): string {
    const scales = this.at.constant('float32', [4], [1, 1, 2, 2]);
    return this.at.op('Resize', [x, '', scales], {
      mode: text('nearest'),
      coordinate_transformation_mode: text('asymmetric'),
      nearest_mode: text('floor'),
    });
  }

  /** Pictures [B, C, H, W] as rows [B, HW, C]. */
  rows(x: string): string {
    const [batch, channels, height, width] = this.at.dims(x) as [Dim, number, number, number];
    return this.at.transpose(this.at.reshape(x, [batch, channels, height * width]), [0, 2, 1]);
  }

  /** Rows [B, HW, C] as pictures of the size of `like`. */
  pictures(x: string, like: string): string {
    const [batch, , height, width] = this.at.dims(like) as [Dim, number, number, number];
    const channels = this.at.dims(x)[2]!;
    return this.at.reshape(this.at.transpose(x, [0, 2, 1]), [batch, channels, height, width]);
  }

  /**
   * Softmax(q·kᵀ/√d + mask)·v over heads of d numbers each, with the projections `names`.
   * @param x [B, T, C], of which the queries are made
   * @param context [B, S, D], of which keys and values are made
   * @param mask added to the scores [B, heads, T, S]
   */
  attention(
    x: string,
    context: string,
    heads: number,
    names: { readonly q: string; readonly k: string; readonly v: string; readonly out: string },
    mask?: string,
  ): string {
    const queries = this.heads(this.linear(x, names.q), heads, [0, 2, 1, 3]);
    const keys = this.heads(this.linear(context, names.k), heads, [0, 2, 3, 1]);
    const values = this.heads(this.linear(context, names.v), heads, [0, 2, 1, 3]);
    const width = fixedDim(this.at.dims(queries)[3], names.q);
    const scores = this.at.scale(this.at.op('MatMul', [queries, keys]), 1 / Math.sqrt(width));
    const masked = mask === undefined ? scores : this.add(scores, mask);
    const mixed = this.at.op('MatMul', [this.at.op('Softmax', [masked], { axis: int(-1) }), values]);
    const [batch, , rows] = this.at.dims(mixed);
    const joined = this.at.reshape(this.at.transpose(mixed, [0, 2, 1, 3]), [batch!, rows!, heads * width]);
    return this.linear(joined, names.out);
  }

  /** [B, T, C] as [B, T, heads, C/heads], its axes in another order. */
  private heads(x: string, heads: number, order: readonly number[]): string {
    const [batch, rows, channels] = this.at.dims(x) as [Dim, Dim, number];
    if (channels % heads) throw this.unexpected('attention', `channels in ${heads} heads`, String(channels));
    return this.at.transpose(this.at.reshape(x, [batch, rows, heads, channels / heads]), order);
  }

  private misshapen(name: string, dims: readonly number[]): AppError {
    return this.unexpected(
      name,
      `the shape [${dims.join(', ')}]`,
      `[${this.weights.get(name).shape.join(', ')}]`,
    );
  }

  private unexpected(name: string, expected: string, found: string): AppError {
    return new AppError(
      'checkpoint.shape',
      `Expected ${expected} at ${name} of ${this.weights.network}, found ${found}: it is of another kind of model than Stable Diffusion 1.x and 2.x.`,
    );
  }
}
