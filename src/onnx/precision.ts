/**
 * Half precision. Products (convolutions included) compute in float16. Norms, softmax, reductions, activations and
 * everything else with long sums or steep functions computes in float32; sums, factors and moves of data follow their
 * inputs, so float32 lasts until the next product, and gradients of branches add up in it. What a branch reads of the
 * enclosing graph it reads in float16, so that nothing is held at twice its size. Inputs and outputs stay float32.
 */
import type { Precision } from '../lib/precision.ts';
import { removeDeadCode } from './deadCode.ts';
import { int, mapBranches, type Branch, type Constant, type Graph, type Node } from './graph.ts';
import { operatorOf } from './operators/table.ts';
import { makeConstant, readConstant } from './values.ts';
import { elementCode } from './write.ts';

const LARGEST_HALF = 65504;

/** Turns a float32 graph into one of mixed precision, in place. */
export function toHalf(graph: Graph): void {
  const main = new Scope(graph, undefined);
  main.addAll(graph.nodes);
  for (const output of graph.outputs) main.provide(output);
  graph.nodes = main.nodes;
  removeDeadCode(graph);
}

/** The main graph or a branch: its nodes so far and, by value, the same value in the other precision. */
class Scope {
  readonly nodes: Node[] = [];
  private readonly converted = new Map<string, string>();
  private readonly made = new Set<string>();

  constructor(
    private readonly graph: Graph,
    private readonly parent: Scope | undefined,
  ) {}

  addAll(nodes: readonly Node[]): void {
    for (const node of nodes) this.add(node);
  }

  /** A float32 output under its name, whatever it was computed in. */
  provide(output: string): void {
    if (this.precisionOf(output) !== 'float16') return;
    const inner = this.graph.fresh(`${output}/half`);
    const rename = (name: string) => (name === output ? inner : name);
    const at = this.nodes.findIndex((node) => node.outputs.includes(output));
    this.nodes.splice(at, Infinity, ...this.nodes.slice(at).map((node) => renameValues(node, rename)));
    this.graph.types.set(inner, this.graph.typeOf(output));
    this.graph.types.set(output, { ...this.graph.typeOf(output), type: 'float32' });
    this.nodes.splice(at + 1, 0, castNode(this.graph, inner, output, 'float32'));
  }

  private add(node: Node): void {
    if (node.op === 'If') this.addConditional(node);
    else {
      const target = this.targetOf(node);
      const inputs = node.inputs.map((input, i) =>
        node.op === 'Resize' && i > 0 ? input : this.as(input, target),
      );
      this.push({ ...node, inputs }, target);
    }
  }

  private push(node: Node, target: Precision): void {
    this.nodes.push(node);
    for (const output of node.outputs) {
      this.made.add(output);
      if (this.precisionOf(output)) this.setPrecision(output, target);
    }
  }

  private targetOf(node: Node): Precision {
    const half = operatorOf(node.op)?.half ?? 'float32';
    if (half !== 'follows') return half === 'product' ? 'float16' : 'float32';
    const computed = node.inputs.filter((input) => !this.graph.constants.has(input));
    return computed.some((input) => this.seenPrecision(input) === 'float32') ? 'float32' : 'float16';
  }

  private addConditional(node: Node): void {
    const types = new Map<string, Precision>();
    const convert = (branch: Branch): Branch => {
      const inner = new Scope(this.graph, this);
      inner.addAll(branch.nodes);
      branch.outputs.forEach((value, i) => {
        const output = node.outputs[i]!;
        if (this.graph.outputs.includes(output)) inner.provide(value);
        const wanted = types.get(output) ?? inner.precisionOf(value)!;
        types.set(output, wanted);
        if (inner.precisionOf(value) === 'float16' && wanted === 'float32') inner.provide(value);
      });
      const outputs = branch.outputs.map((value, i) => inner.as(value, types.get(node.outputs[i]!)!));
      return { nodes: inner.nodes, outputs };
    };
    this.nodes.push(mapBranches(node, convert));
    for (const [output, type] of types) {
      this.made.add(output);
      this.gradients.add(output);
      this.setPrecision(output, type);
    }
  }

  /** Outputs of conditionals: later ones read them as they are. */
  private readonly gradients = new Set<string>();

  private precisionOf(value: string): Precision | undefined {
    const type = value ? this.graph.typeOf(value).type : undefined;
    return type === 'float16' || type === 'float32' ? type : undefined;
  }

  private setPrecision(value: string, type: Precision): void {
    this.graph.types.set(value, { ...this.graph.typeOf(value), type });
  }

  /** The precision in which this scope sees a value. */
  private seenPrecision(value: string): Precision | undefined {
    const precision = this.precisionOf(value);
    const own = this.made.has(value) || this.graph.inputs.has(value) || this.parent?.gradients.has(value);
    return precision && !own ? 'float16' : precision;
  }

  /** The value in a precision; a Cast where it was not asked for before. Other types stay as they are. */
  private as(value: string, target: Precision): string {
    const precision = this.precisionOf(value);
    if (!precision) return value;
    if (this.graph.constants.has(value)) return constantAs(this.graph, value, target);
    if (this.seenPrecision(value) !== precision) return this.as(this.parent!.halfOf(value), target);
    if (precision === target) return value;
    const known = this.converted.get(value);
    if (known) return known;
    const converted = this.cast(value, target);
    this.converted.set(value, converted);
    return converted;
  }

  private cast(value: string, target: Precision): string {
    const output = this.graph.fresh(`${value}/${target}`);
    this.graph.types.set(output, { ...this.graph.typeOf(value), type: target });
    this.nodes.push(castNode(this.graph, value, output, target));
    this.made.add(output);
    return output;
  }

  /** A float32 value of this scope in float16 for its branches, converted where it is made. */
  private halfOf(value: string): string {
    const known = this.converted.get(value);
    if (known) return known;
    const half = this.as(value, 'float16');
    const cast = this.nodes.pop()!;
    this.nodes.splice(this.nodes.findIndex((node) => node.outputs.includes(value)) + 1, 0, cast);
    return half;
  }
}

function castNode(graph: Graph, from: string, to: string, type: Precision): Node {
  const attributes = { to: int(elementCode(type)) };
  return { op: 'Cast', name: graph.fresh('precision/Cast'), inputs: [from], outputs: [to], attributes };
}

function renameValues(node: Node, rename: (name: string) => string): Node {
  const branches = mapBranches(node, ({ nodes, outputs }) => ({
    nodes: nodes.map((inner) => renameValues(inner, rename)),
    outputs: outputs.map(rename),
  }));
  return { ...branches, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
}

/** A constant in a precision: the stored bytes as another initializer, or inline numbers rounded. */
function constantAs(graph: Graph, name: string, target: Precision): string {
  const constant = graph.constants.get(name)!;
  if (constant.type === target) return name;
  const other = `${name}/${target}`;
  if (!graph.constants.has(other)) graph.addConstant(other, converted(constant, target));
  return other;
}

function converted(constant: Constant, target: Precision): Constant {
  if (constant.content.kind === 'stored') return { ...constant, type: target };
  const values = readConstant(constant)!.values as number[];
  const finite = values.map((value) => Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, value)));
  return makeConstant(target, constant.dims, finite);
}
