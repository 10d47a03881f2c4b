/** Shape inference: the types of a node's outputs from its inputs, by a table of rules. */
import { AppError } from '../lib/errors.ts';
import { sizeOf } from '../lib/numbers.ts';
import { sayWhere } from './damaged.ts';
import { describe, type Graph, type Node, type TensorType } from './graph.ts';
import type { ShapeContext } from './operators/operator.ts';
import { operatorOf } from './operators/table.ts';
import { readConstant, type Known } from './values.ts';

/** Larger constants are weights, whose values no shape depends on. */
export const LARGEST_KNOWN = 1 << 14;

/** Values the compiler knows: of constants, and symbolic ones recorded while folding. */
export class KnownValues {
  private readonly values = new Map<string, Known | undefined>();

  constructor(private readonly graph: Graph) {}

  get(name: string): Known | undefined {
    if (!this.values.has(name)) this.values.set(name, this.ofConstant(name));
    return this.values.get(name);
  }

  set(name: string, known: Known): void {
    this.values.set(name, known);
  }

  private ofConstant(name: string): Known | undefined {
    const constant = this.graph.constants.get(name);
    return constant && sizeOf(constant.dims) <= LARGEST_KNOWN ? readConstant(constant) : undefined;
  }
}

/** What rules see of `node`. Throws AppError `onnx.missingInput` when a rule reads an omitted input. */
export function contextOf(graph: Graph, known: KnownValues, node: Node): ShapeContext {
  const name = (i: number) => node.inputs[i] ?? '';
  return {
    node,
    has: (i) => name(i) !== '',
    known: (i) => known.get(name(i)),
    input: (i) => {
      if (name(i)) return graph.typeOf(name(i));
      throw new AppError('onnx.missingInput', `expected input ${i} of ${describe(node)}, found none`);
    },
  };
}

/** Output types of `node`. Throws AppError `onnx.unknownOp` naming operator, node and tensor. */
export function inferTypes(context: ShapeContext): readonly TensorType[] {
  const { node } = context;
  const operator = operatorOf(node.op);
  if (operator) return sayWhere(describe(node), () => operator.shape(context));
  const message = `expected an operator the compiler knows, found ${describe(node)}; export the model differently or add it to src/onnx/operators`;
  throw new AppError('onnx.unknownOp', message);
}

/** Records the types of a node's outputs in the graph. */
export function recordTypes(graph: Graph, known: KnownValues, node: Node): void {
  const types = inferTypes(contextOf(graph, known, node));
  node.outputs.forEach((output, i) => {
    const type = types[i];
    if (output && type) graph.types.set(output, type);
  });
}
