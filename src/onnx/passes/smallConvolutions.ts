/**
 * Convolutions of pictures of one to four pixels become one product with a dense matrix. WebAssembly convolutions
 * handle pictures one by one and pad them to 16 columns: a 3×3 convolution of 96 channels on 8 pictures of 2×2 took
 * over ten times as long as the 384×384 product. The matrix is gathered from the stored kernel when the graph loads.
 */
import { sizeOf } from '../../lib/numbers.ts';
import { Builder } from '../builder.ts';
import { fixedDims, isBatch, range } from '../dims.ts';
import { int, numberOf, type Graph, type Node } from '../graph.ts';
import { kernelOf, windowOf, type Window } from '../operators/convolution.ts';

/** Input pixels times output pixels: beyond, the matrix outgrows the kernel's nine taps for too little. */
const LARGEST_PRODUCT = 16;

interface Sizes {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Replaces small convolutions in place. */
export function flattenSmallConvolutions(graph: Graph): void {
  const nodes: Node[] = [];
  const at = new Builder(graph, nodes, 'dense/');
  for (const node of graph.nodes) {
    const sizes = node.op === 'Conv' ? sizesOf(graph, node) : undefined;
    if (sizes && isSmall(graph, node, sizes)) multiply(at, node, sizes);
    else nodes.push(node);
  }
  graph.nodes = nodes;
}

function sizesOf(graph: Graph, node: Node): Sizes {
  const picture = (value: string) => fixedDims(graph.typeOf(value).dims.slice(2), node.name);
  return { from: picture(node.inputs[0]!), to: picture(node.outputs[0]!) };
}

function isSmall(graph: Graph, node: Node, { from, to }: Sizes): boolean {
  const { dims } = graph.typeOf(node.inputs[0]!);
  const kernel = kernelOf(graph.typeOf(node.inputs[1]!), node);
  const pixels = sizeOf(from) * sizeOf(to);
  const dense = pixels === 1 || (sizeOf(kernel) > 1 && pixels <= LARGEST_PRODUCT);
  return (
    dense && isBatch(dims[0]!) && numberOf(node, 'group', 1) === 1 && graph.constants.has(node.inputs[1]!)
  );
}

function multiply(at: Builder, node: Node, sizes: Sizes): void {
  const [x, weight, bias] = node.inputs as [string, string, string | undefined];
  const [batch, channels] = at.dims(x) as [ReturnType<typeof at.dims>[0], number];
  const rows = at.reshape(x, [batch!, channels * sizeOf(sizes.from)]);
  const product = at.op('MatMul', [rows, denseMatrix(at, node, weight, sizes)]);
  const sum = bias ? at.op('Add', [product, repeated(at, bias, sizeOf(sizes.to))]) : product;
  const { dims } = at.graph.typeOf(node.outputs[0]!);
  at.named(node.outputs[0]!, 'Reshape', [sum, at.integers([-1, ...fixedDims(dims.slice(1), node.name)])]);
}

/** Kernel [O,C,h,w] as matrix [C·input pixels, O·output pixels]. */
function denseMatrix(at: Builder, node: Node, weight: string, { from, to }: Sizes): string {
  const kernel = kernelOf(at.graph.typeOf(weight), node);
  const [outputs, channels] = fixedDims(at.dims(weight), node.name) as [number, number];
  const [taps, pixels] = [sizeOf(kernel), [sizeOf(from), sizeOf(to)] as const];
  const indices = tapIndices(windowOf(node, kernel), from, to);
  const flat = at.reshape(weight, [outputs, channels, taps]);
  const padded = indices.includes(taps) ? at.op('Pad', [flat, at.integers([0, 0, 0, 0, 0, 1])]) : flat;
  const picked = at.op('Gather', [padded, at.integers(indices)], { axis: int(2) });
  const blocks = at.transpose(at.reshape(picked, [outputs, channels, ...pixels]), [1, 2, 0, 3]);
  return at.reshape(blocks, [channels * pixels[0], outputs * pixels[1]]);
}

/** For every input and output pixel the kernel's tap between them; the number of taps where there is none. */
function tapIndices(window: Window, from: readonly number[], to: readonly number[]): number[] {
  const { kernel, strides, dilations, pads } = window;
  const tap = (axis: number, source: number, target: number) => {
    const at = (source - target * strides[axis]! + pads[axis]!) / dilations[axis]!;
    return Number.isInteger(at) && at >= 0 && at < kernel[axis]! ? at : undefined;
  };
  return pixelsOf(from).flatMap((source) =>
    pixelsOf(to).map((target) => {
      const taps = kernel.map((_, axis) => tap(axis, source[axis]!, target[axis]!));
      if (taps.includes(undefined)) return sizeOf(kernel);
      return taps.reduce<number>((flat, at, axis) => flat * kernel[axis]! + at!, 0);
    }),
  );
}

function pixelsOf(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (pixels, dim) => pixels.flatMap((p) => range(dim).map((i) => [...p, i])),
    [[]],
  );
}

/** Each number of a bias `count` times. */
function repeated(at: Builder, bias: string, count: number): string {
  const [size] = fixedDims(at.dims(bias), 'a bias') as [number];
  if (count === 1) return bias;
  const column = at.reshape(bias, [size, 1]);
  return at.reshape(at.op('Expand', [column, at.integers([size, count])]), [size * count]);
}
