/**
 * The compiler's graph: ONNX nodes over named values, each with a known element type and shape (the batch may
 * stay free, see dims.ts). Constants either lie in the graph (`inline`) or stay in the stock file (`stored`), by
 * location, offset and length, so that prepared graphs never repeat a weight.
 */
import { AppError } from '../lib/errors.ts';
import type { Dim } from './dims.ts';

export type ElementType =
  'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

export interface TensorType {
  readonly type: ElementType;
  readonly dims: readonly Dim[];
}

export interface InlineContent {
  readonly kind: 'inline';
  /** Little-endian, row-major, of the constant's own type. */
  readonly bytes: Uint8Array;
}

export interface StoredContent {
  readonly kind: 'stored';
  /** Type in the file; differs from the constant's when half weights compute in float32. */
  readonly type: ElementType;
  readonly location: string;
  readonly offset: number;
  readonly length: number;
  /** Absent when the external file was not given to the compiler. */
  readonly bytes: Uint8Array | undefined;
  /** Whether all of it is known to be zero. */
  readonly isZero?: boolean;
}

export interface Constant {
  readonly type: ElementType;
  readonly dims: readonly number[];
  readonly content: InlineContent | StoredContent;
}

export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Constant }
  | { readonly kind: 'graph'; readonly value: Branch };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Node {
  readonly op: string;
  readonly name: string;
  /** Value names; '' for an omitted optional input. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** Body of an `If`: reads values of the enclosing graph, has no inputs. */
export interface Branch {
  readonly nodes: readonly Node[];
  readonly outputs: readonly string[];
}

export class Graph {
  nodes: Node[] = [];
  readonly inputs = new Map<string, TensorType>();
  readonly outputs: string[] = [];
  readonly constants = new Map<string, Constant>();
  readonly types = new Map<string, TensorType>();
  private count = 0;

  constructor(readonly opset: number) {}

  /** A name no value or node of this graph has yet. */
  fresh(hint: string): string {
    return `${hint}#${this.count++}`;
  }

  typeOf(value: string): TensorType {
    const type = this.types.get(value);
    if (type) return type;
    throw new AppError(
      'onnx.noType',
      `expected a value of known type, found "${value}" which nothing defines`,
    );
  }

  addInput(name: string, type: TensorType): string {
    this.inputs.set(name, type);
    this.types.set(name, type);
    return name;
  }

  addConstant(name: string, constant: Constant): string {
    this.constants.set(name, constant);
    this.types.set(name, { type: constant.type, dims: constant.dims });
    return name;
  }

  /** A graph that can be changed without changing this one. */
  clone(): Graph {
    const copy = new Graph(this.opset);
    copy.nodes = [...this.nodes];
    copy.outputs.push(...this.outputs);
    for (const [name, type] of this.inputs) copy.inputs.set(name, type);
    for (const [name, constant] of this.constants) copy.constants.set(name, constant);
    for (const [name, type] of this.types) copy.types.set(name, type);
    copy.count = this.count;
    return copy;
  }

  /** Node that makes each value. */
  producers(): Map<string, Node> {
    return new Map(this.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  }

  /** Nodes that read each value, in execution order. */
  consumers(): Map<string, Node[]> {
    const found = new Map<string, Node[]>();
    for (const node of this.nodes)
      for (const input of new Set(node.inputs)) {
        if (!input) continue;
        const list = found.get(input);
        if (list) list.push(node);
        else found.set(input, [node]);
      }
    return found;
  }
}

export const int = (value: number): Attribute => ({ kind: 'int', value });
export const float = (value: number): Attribute => ({ kind: 'float', value });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const text = (value: string): Attribute => ({ kind: 'string', value });

/** Numeric attribute, or `fallback` when absent. */
export function numberOf(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'int' || attribute?.kind === 'float' ? attribute.value : fallback;
}

export function numbersOf(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === 'ints' || attribute?.kind === 'floats' ? attribute.value : undefined;
}

export function textOf(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === 'string' ? attribute.value : fallback;
}

/** The node with each of its branches replaced. */
export function mapBranches(node: Node, replace: (branch: Branch) => Branch): Node {
  if (node.op !== 'If') return node;
  const attributes = Object.entries(node.attributes).map(([name, attribute]) => {
    const mapped = attribute.kind === 'graph' ? { ...attribute, value: replace(attribute.value) } : attribute;
    return [name, mapped] as const;
  });
  return { ...node, attributes: Object.fromEntries(attributes) };
}

/** `MatMul "name" (output "value")` for messages. */
export function describe(node: Node): string {
  return `${node.op} "${node.name}" (output "${node.outputs[0] ?? ''}")`;
}
