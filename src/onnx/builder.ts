/** Appends nodes to a graph or to a branch of it, inferring each new value's type. */
import { reshapeTo } from './reshapeTo.ts';
import { fixedDims, isBatch, sameDims, type Dim } from './dims.ts';
import { int, ints, type Attributes, type Graph, type Node } from './graph.ts';
import { contextOf, inferTypes, KnownValues } from './infer.ts';
import type { Emitter } from './operators/operator.ts';
import { encode, makeConstant, type Known } from './values.ts';

export class Builder implements Emitter {
  private readonly values: KnownValues;

  /** New nodes go to `nodes`: the graph's own list, or a branch's. */
  constructor(
    readonly graph: Graph,
    readonly nodes: Node[],
    private readonly prefix: string,
  ) {
    this.values = new KnownValues(graph);
  }

  dims(value: string): readonly Dim[] {
    return this.graph.typeOf(value).dims;
  }

  /** Value of a constant, unless it is a large weight or its file was not given. */
  known(value: string): Known | undefined {
    return this.values.get(value);
  }

  /** Tells shape inference the value of a computed tensor. */
  assume(value: string, known: Known): void {
    this.values.set(value, known);
  }

  /** Adds a node with one output and returns the output's name. */
  op(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.ops(op, inputs, attributes, 1)[0]!;
  }

  /** Adds a node with several outputs. */
  ops(op: string, inputs: readonly string[], attributes: Attributes, count: number): string[] {
    const name = this.graph.fresh(`${this.prefix}${op}`);
    const outputs = Array.from({ length: count }, (_, i) => (count === 1 ? name : `${name}.${i}`));
    return this.add({ op, name, inputs, outputs, attributes });
  }

  /** Adds a node whose output gets the given name, and returns it. */
  named(output: string, op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.add({
      op,
      name: this.graph.fresh(`${this.prefix}${op}`),
      inputs,
      outputs: [output],
      attributes,
    })[0]!;
  }

  private add(node: Node): string[] {
    const types = inferTypes(contextOf(this.graph, this.values, node));
    node.outputs.forEach((output, i) => this.graph.types.set(output, types[i]!));
    this.nodes.push(node);
    return [...node.outputs];
  }

  scalar(value: number): string {
    return this.constant('float32', [], [value]);
  }

  integers(values: readonly number[]): string {
    return this.constant('int64', [values.length], values);
  }

  /** Inline constant; equal ones are shared. */
  constant(type: 'float32' | 'int64', dims: readonly number[], values: readonly number[]): string {
    const name = `const/${type}/${dims.join('x')}/${values.join(',')}`;
    if (encode(type, values).length > 256)
      return this.graph.addConstant(this.graph.fresh('const'), makeConstant(type, dims, values));
    return this.graph.constants.has(name)
      ? name
      : this.graph.addConstant(name, makeConstant(type, dims, values));
  }

  /** Reshape to `dims`, which may contain the batch; nothing when the shape is the same. */
  reshape(value: string, dims: readonly Dim[]): string {
    const from = this.dims(value);
    return sameDims(from, dims) ? value : this.op('Reshape', [value, this.shape(from, dims)]);
  }

  /** Shape input of a Reshape. */
  shape(from: readonly Dim[], to: readonly Dim[]): string {
    return this.integers(reshapeTo(from, to));
  }

  /** `value` broadcast to the shape of `like`, read when the graph runs if the batch is in it. */
  expandLike(value: string, like: string): string {
    const dims = this.dims(like);
    if (!dims.some(isBatch)) return this.op('Expand', [value, this.integers(fixedDims(dims, like))]);
    const shape = this.op('Shape', [like]);
    this.assume(shape, { type: 'int64', dims: [dims.length], values: dims });
    return this.op('Expand', [value, shape]);
  }

  transpose(value: string, perm: readonly number[]): string {
    return this.op('Transpose', [value], { perm: ints(perm) });
  }

  /** Swaps the last two axes. */
  transposeMatrix(value: string): string {
    const rank = this.dims(value).length;
    const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
    return this.transpose(value, perm);
  }

  reduceSum(value: string, axes: readonly number[], keepdims = true): string {
    return this.op('ReduceSum', [value, this.integers(axes)], { keepdims: int(keepdims ? 1 : 0) });
  }

  reduceMean(value: string, axes: readonly number[], keepdims = true): string {
    return this.op('ReduceMean', [value, this.integers(axes)], { keepdims: int(keepdims ? 1 : 0) });
  }

  /** Product with a number; nothing for 1. */
  scale(value: string, factor: number): string {
    return factor === 1 ? value : this.op('Mul', [value, this.scalar(factor)]);
  }
}
