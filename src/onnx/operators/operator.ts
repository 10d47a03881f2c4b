/**
 * What the compiler knows of an operator: the shapes of its outputs, its value where that is shape arithmetic, its derivative, and
 * the traits that memory plan, half precision and searches go by. One entry an operator (table.ts); what has a derivative takes part
 * in training and must name all its traits.
 */
import type { Dim } from '../dims.ts';
import type { Attributes, Graph, Node, TensorType } from '../graph.ts';
import type { Known } from '../values.ts';

export interface ShapeContext {
  readonly node: Node;
  /** Type of input `i`; an error when it is omitted. */
  input(i: number): TensorType;
  has(i: number): boolean;
  /** Value of input `i` where the compiler knows it. */
  known(i: number): Known | undefined;
}

/** Types of the outputs, in order. */
export type ShapeRule = (context: ShapeContext) => readonly TensorType[];

/** Values of the single output, whose type and dims are given; undefined when they cannot be known. */
export type Evaluator = (
  context: ShapeContext,
  inputs: readonly Known[],
  output: Omit<Known, 'values'>,
) => Dim[] | undefined;

/** Emits nodes: into the graph, its backward pass, or beside it (builder.ts). */
export interface Emitter {
  readonly graph: Graph;
  dims(value: string): readonly Dim[];
  known(value: string): Known | undefined;
  assume(value: string, known: Known): void;
  op(op: string, inputs: readonly string[], attributes?: Attributes): string;
  scalar(value: number): string;
  integers(values: readonly number[]): string;
  constant(type: 'float32' | 'int64', dims: readonly number[], values: readonly number[]): string;
  reshape(value: string, dims: readonly Dim[]): string;
  expandLike(value: string, like: string): string;
  transpose(value: string, perm: readonly number[]): string;
  transposeMatrix(value: string): string;
  reduceSum(value: string, axes: readonly number[]): string;
  reduceMean(value: string, axes: readonly number[]): string;
  scale(value: string, factor: number): string;
}

export interface GradContext {
  readonly node: Node;
  /** What shape rules see of the node. */
  readonly shapes: ShapeContext;
  /** Emits the backward pass. */
  readonly at: Emitter;
  /** Emits what depends on weights only, outside the backward pass, so that onnxruntime folds it once. */
  readonly weights: Emitter;
  /** Turn weights in every run instead of keeping them twice. */
  readonly lean: boolean;
  /** Gradient of each output; undefined where nothing depends on it. */
  readonly gradients: readonly (string | undefined)[];
  /** Whether input `i` leads to a wanted gradient. */
  needs(i: number): boolean;
  /** Whether a value follows from weights alone. */
  isWeight(value: string): boolean;
}

/** Gradient of each input, in order; undefined where it is not needed. */
export type Derivative = (context: GradContext) => readonly (string | undefined)[];

/** Multiplications and additions of one run; `elements` counts the numbers of a shape, the batch filled in. */
export type Operations = (c: {
  readonly node: Node;
  dims(value: string): readonly Dim[];
  elements(dims: readonly Dim[]): number;
}) => number;

export interface Traits {
  /** In half precision, a product computes in float16, what follows does so while all its inputs are, the rest stays float32. */
  readonly half: 'product' | 'follows' | 'float32';
  /** Its output lies in its first input's buffer. */
  readonly isView: boolean;
  /** Its output still means what its input meant: reshaped, scaled or masked, but not mixed. */
  readonly carries: boolean;
  readonly operations: Operations;
}

interface Described {
  readonly shape: ShapeRule;
  /** Absent where its values are never shape arithmetic. */
  readonly evaluate?: Evaluator;
  /** When a node does nothing and is dropped; never where absent. */
  readonly idle?: 'always' | 'with the same type';
}

interface Untrained extends Described, Partial<Traits> {
  readonly derivative?: undefined;
}

interface Differentiable extends Described, Traits {
  readonly derivative: Derivative;
}

export type Operator = Untrained | Differentiable;

const onePerNumber: Operations = ({ node, dims, elements }) => elements(dims(node.outputs[0]!));
const none: Operations = () => 0;

/** Computes number by number, in float32. */
export const WIDE: Traits = { half: 'float32', isView: false, carries: false, operations: onePerNumber };
/** Adds, scales or moves numbers, in the precision of its inputs. */
export const FOLLOWING: Traits = { ...WIDE, half: 'follows', carries: true };
/** Only its shape differs from its input's. */
export const VIEW: Traits = { ...FOLLOWING, isView: true, operations: none };
/** A product with weights or data. */
export const PRODUCT: Omit<Traits, 'operations'> = { half: 'product', isView: false, carries: false };
