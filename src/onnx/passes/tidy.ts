/** Removes what changes nothing, and joins neighbouring slices of a value into one Split. */
import { fixedDim, isBatch, range, sameDims } from '../dims.ts';
import { int, numbersOf, type Graph, type Node } from '../graph.ts';
import { contextOf, KnownValues, recordTypes } from '../infer.ts';
import { sliceRanges } from '../operators/indexing.ts';
import { makeConstant } from '../values.ts';
import { Matcher } from './matcher.ts';

/** What a node's output equals, when the node changes nothing. */
type Neutral = (matcher: Matcher, node: Node) => string | undefined;

/** x·1 and x/1 */
const unitFactor: Neutral = (matcher, node) => {
  const scaled = matcher.scaled(node.outputs[0]!);
  return scaled?.factor === 1 ? scaled.x : undefined;
};

/** x + 0 and x + 0·y: a product with β = 0 is how PyTorch's baddbmm leaves a tensor unread. */
const zeroTerm: Neutral = (matcher, node) => {
  if (node.op !== 'Add') return undefined;
  const isZero = (value: string) => matcher.number(value) === 0 || matcher.scaled(value)?.factor === 0;
  return matcher.operands(node, isZero)?.[1];
};

/** Two transpositions, the second of which undoes the first. */
const undoneTranspose: Neutral = (matcher, node) => {
  const first = node.op === 'Transpose' ? matcher.made(node.inputs[0], 'Transpose') : undefined;
  const [outer, inner] = [node, first].map((each) => each && numbersOf(each, 'perm'));
  return outer?.every((axis, i) => inner?.[axis] === i) ? first!.inputs[0] : undefined;
};

const neutrals = [unitFactor, zeroTerm, undoneTranspose];

/** Readers of a value that changes nothing read what it equals. */
export function dropNeutral(graph: Graph): void {
  const matcher = new Matcher(graph);
  const aliases = new Map<string, string>();
  const resolve = (value: string) => aliases.get(value) ?? value;
  graph.nodes = graph.nodes.flatMap((node) => {
    const [output] = node.outputs as [string];
    const same = neutrals.map((neutral) => neutral(matcher, node)).find((value) => value !== undefined);
    const isNeutral = same !== undefined && sameDims(graph.typeOf(same).dims, graph.typeOf(output).dims);
    if (isNeutral) aliases.set(output, resolve(same));
    return isNeutral ? [] : [{ ...node, inputs: node.inputs.map(resolve) }];
  });
  graph.outputs.splice(0, Infinity, ...graph.outputs.map(resolve));
}

interface Part {
  readonly node: Node;
  readonly axis: number;
  readonly start: number;
  readonly count: number;
}

/** Slices that cut a value's axis into adjoining parts become one Split, whose derivative is one Concat. */
export function joinSlices(graph: Graph): void {
  const known = new KnownValues(graph);
  const groups = new Map<string, Part[]>();
  for (const part of graph.nodes.flatMap((node) => partOf(graph, known, node) ?? [])) {
    const key = `${part.axis} ${part.node.inputs[0]!}`;
    groups.set(key, [...(groups.get(key) ?? []), part]);
  }
  for (const parts of groups.values())
    joinParts(
      graph,
      known,
      parts.toSorted((a, b) => a.start - b.start),
    );
}

function partOf(graph: Graph, known: KnownValues, node: Node): Part | undefined {
  if (node.op !== 'Slice') return undefined;
  const ranges = sliceRanges(contextOf(graph, known, node));
  const [cut] = ranges;
  if (ranges.length !== 1 || !cut || cut.step !== 1 || isBatch(cut.count)) return undefined;
  return { node, axis: cut.axis, start: cut.start, count: cut.count };
}

function joinParts(graph: Graph, known: KnownValues, parts: readonly Part[]): void {
  const { node, axis } = parts[0]!;
  const size = graph.typeOf(node.inputs[0]!).dims[axis]!;
  const end = (i: number) => parts.slice(0, i).reduce((sum, part) => sum + part.count, 0);
  const adjoining = range(parts.length).every((i) => parts[i]!.start === end(i));
  if (parts.length < 2 || isBatch(size) || !adjoining || end(parts.length) !== fixedDim(size, node.name))
    return;
  const sizes = graph.fresh('sizes');
  graph.addConstant(
    sizes,
    makeConstant(
      'int64',
      [parts.length],
      parts.map((part) => part.count),
    ),
  );
  const outputs = parts.map((part) => part.node.outputs[0]!);
  const split: Node = {
    op: 'Split',
    name: node.name,
    inputs: [node.inputs[0]!, sizes],
    outputs,
    attributes: { axis: int(axis) },
  };
  recordTypes(graph, known, split);
  const joined = new Set(parts.map((part) => part.node));
  const first = graph.nodes.findIndex((other) => joined.has(other));
  graph.nodes = graph.nodes.flatMap((other, i) => (i === first ? [split] : joined.has(other) ? [] : [other]));
}
