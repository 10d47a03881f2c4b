/**
 * Specialisation: walks the stock graph once in execution order with the input sizes fixed and the batch free;
 * computes in float32, folds shape arithmetic, drops what has no effect, and turns shape inputs that follow the
 * batch into constants with 0 or -1. The graph it returns has a type for every value.
 */
import { sizeOf } from '../../lib/numbers.ts';
import { fixedDims, isBatch, sameDims } from '../dims.ts';
import { int, type Constant, Graph, type Node, type TensorType } from '../graph.ts';
import { contextOf, inferTypes, KnownValues, LARGEST_KNOWN } from '../infer.ts';
import { operatorOf } from '../operators/table.ts';
import { isFloat, isNumeric, makeConstant, readConstant, type Known } from '../values.ts';
import { elementCode } from '../write.ts';
import { FixedZeros, fixedBatchOf, freeBatch } from './fixedBatch.ts';
import { reshapeTo } from '../reshapeTo.ts';
import { restoreScale } from './restore.ts';
import { spellOut } from '../compound/spellOut.ts';
import { removeDeadCode } from '../deadCode.ts';
import { upgradeNode } from './upgrade.ts';

/** Operator set of prepared graphs: the first with Gelu and with axes as inputs of every reduction. */
export const PREPARED_OPSET = 20;

/** Constants up to this size lie in the prepared graph; larger ones stay in the stock file. */
const LARGEST_INLINE_BYTES = 64;

/** Replaces stock input types by the given ones (all must be present in the stock graph). */
export function specialize(stock: Graph, inputs: ReadonlyMap<string, TensorType>): Graph {
  return new Specializer(stock, inputs).run();
}

class Specializer {
  private readonly graph: Graph;
  private readonly known: KnownValues;
  private readonly aliases = new Map<string, string>();
  private readonly fixedBatch: number | undefined;
  private readonly zeros: FixedZeros | undefined;

  constructor(
    private readonly stock: Graph,
    inputs: ReadonlyMap<string, TensorType>,
  ) {
    this.graph = new Graph(Math.max(PREPARED_OPSET, stock.opset));
    this.known = new KnownValues(this.graph);
    this.fixedBatch = fixedBatchOf(stock, inputs);
    this.zeros = this.fixedBatch ? new FixedZeros(this.graph, this.fixedBatch) : undefined;
    for (const [name, type] of stock.inputs) this.graph.addInput(name, wide(inputs.get(name) ?? type));
    for (const [name, constant] of stock.constants) this.graph.addConstant(name, wideConstant(constant));
  }

  run(): Graph {
    const upgraded = this.stock.nodes.flatMap((node) => upgradeNode(node, this.stock, this.graph));
    for (const node of upgraded)
      for (const simple of spellOut(this.graph, this.resolve(node))) this.visit(this.resolve(simple));
    this.graph.outputs.push(...this.stock.outputs.map((name) => this.alias(name)));
    removeDeadCode(this.graph);
    return this.graph;
  }

  private alias(name: string): string {
    return this.aliases.get(name) ?? name;
  }

  private resolve(node: Node): Node {
    const attributes = node.op === 'Cast' ? { to: int(this.castTarget(node)) } : node.attributes;
    return { ...node, attributes, inputs: node.inputs.map((input) => this.alias(input)) };
  }

  /** Every float computes as float32. */
  private castTarget(node: Node): number {
    const [type] = inferTypes(
      contextOf(this.graph, this.known, { ...node, inputs: [this.alias(node.inputs[0]!)] }),
    );
    return elementCode(wide(type!).type);
  }

  private visit(node: Node): void {
    const output = node.outputs[0]!;
    const value = node.attributes.value;
    if (node.op === 'Constant') {
      this.graph.addConstant(output, constantOf(node));
      return;
    }
    const attributes =
      value?.kind === 'tensor' ? { ...node.attributes, value: wideTensor(value.value) } : node.attributes;
    this.infer({ ...node, attributes });
  }

  private infer(stock: Node): void {
    const passed = this.zeros?.passedBy(stock);
    if (passed !== undefined) {
      this.aliases.set(stock.outputs[0]!, passed);
      return;
    }
    const node = this.fixedBatch ? freeBatch(this.graph, this.known, stock, this.fixedBatch) : stock;
    const context = contextOf(this.graph, this.known, node);
    const types = inferTypes(context);
    const output = node.outputs[0]!;
    node.outputs.forEach((name, i) => types[i] && this.graph.types.set(name, types[i]));
    const known = this.evaluate(node, types[0]!);
    if (known && isNumeric(known))
      this.graph.addConstant(output, makeConstant(known.type, known.dims, known.values as number[]));
    else if (known) this.known.set(output, known);
    if (known && isNumeric(known)) return;
    const same = hasNoEffect(node, context.has(0) ? context.input(0) : undefined, types[0]!);
    if (same) this.aliases.set(output, node.inputs[0]!);
    else this.graph.nodes.push(this.withConstantShape(node));
  }

  private evaluate(node: Node, type: TensorType): Known | undefined {
    if (node.op === 'Shape') return this.shapeOf(node, type);
    const evaluator = operatorOf(node.op)?.evaluate;
    if (!evaluator || type.dims.some(isBatch) || node.inputs.some((name) => this.isWeight(name)))
      return undefined;
    const dims = fixedDims(type.dims, node.name);
    const inputs = node.inputs
      .map((name) => (name ? this.known.get(name) : undefined))
      .filter((known) => known !== undefined);
    if (sizeOf(dims) > LARGEST_KNOWN || inputs.length < node.inputs.filter(Boolean).length) return undefined;
    const values = evaluator(contextOf(this.graph, this.known, node), inputs, { type: type.type, dims });
    return values && { type: type.type, dims, values };
  }

  /** Folding a stored weight would store it twice. */
  private isWeight(name: string): boolean {
    const constant = this.graph.constants.get(name);
    return constant?.content.kind === 'stored' && isFloat(constant.type);
  }

  private shapeOf(node: Node, { dims }: TensorType): Known {
    const start = node.attributes.start;
    const from = start?.kind === 'int' ? start.value : 0;
    const count = dims[0] as number;
    const source = this.graph.typeOf(node.inputs[0]!).dims;
    const first = from < 0 ? from + source.length : from;
    return { type: 'int64', dims: [count], values: source.slice(first, first + count) };
  }

  /** Reshape to a shape with the batch in it: 0 copies the input's, -1 is what remains. */
  private withConstantShape(node: Node): Node {
    if (node.op !== 'Reshape') return node;
    const from = this.graph.typeOf(node.inputs[0]!).dims;
    const to = this.graph.typeOf(node.outputs[0]!).dims;
    const shape = this.graph.fresh('shape');
    this.graph.addConstant(shape, makeConstant('int64', [to.length], reshapeTo(from, to)));
    return { ...node, inputs: [node.inputs[0]!, shape], attributes: {} };
  }
}

function hasNoEffect(node: Node, input: TensorType | undefined, output: TensorType): boolean {
  const idle = operatorOf(node.op)?.idle;
  if (idle !== 'with the same type') return idle === 'always';
  return input?.type === output.type && sameDims(input.dims, output.dims);
}

function wide<T extends { readonly type: TensorType['type'] }>(tensor: T): T {
  return isFloat(tensor.type) ? { ...tensor, type: 'float32' } : tensor;
}

function wideTensor(value: Constant) {
  return { kind: 'tensor', value: wideConstant(value) } as const;
}

/** Float32 arithmetic on the stored bytes; what is small moves into the graph. */
function wideConstant(constant: Constant): Constant {
  const { type } = wide(constant);
  const { content } = constant;
  const values = readsInline(constant) ? (readConstant(constant)?.values as number[] | undefined) : undefined;
  const isHalfScalar = constant.type === 'float16' && values?.length === 1;
  if (values) return makeConstant(type, constant.dims, isHalfScalar ? values.map(restoreScale) : values);
  return { type, dims: constant.dims, content };
}

function readsInline({ content, type }: Constant): boolean {
  return content.kind === 'inline' ? isFloat(type) : content.length <= LARGEST_INLINE_BYTES;
}

function constantOf(node: Node): Constant {
  const { value, value_int, value_ints, value_float, value_floats } = node.attributes;
  if (value?.kind === 'tensor') return wideConstant(value.value);
  if (value_int?.kind === 'int') return makeConstant('int64', [], [value_int.value]);
  if (value_ints?.kind === 'ints') return makeConstant('int64', [value_ints.value.length], value_ints.value);
  if (value_float?.kind === 'float') return makeConstant('float32', [], [value_float.value]);
  const list = value_floats?.kind === 'floats' ? value_floats.value : [];
  return makeConstant('float32', [list.length], list);
}
