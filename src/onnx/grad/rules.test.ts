/**
 * Every derivative rule against central differences: the gradient of Σ y·G for random G, with the batch free where
 * the table says so. Differences of y are taken before the sum, so float32 leaves about 1e-5.
 */
import { sizeOf } from '../../lib/numbers.ts';
import type { InferenceSession, Tensor } from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { Random } from '../../lib/random.ts';
import { floatsOf, floatTensor, openGraph } from '../testing/webGraph.ts';
import { Builder } from '../builder.ts';
import { isBatch, showDims, type Dim } from '../dims.ts';
import { lower } from '../passes/lower.ts';
import { Graph, type Node } from '../graph.ts';
import { KnownValues, recordTypes } from '../infer.ts';
import { makeConstant } from '../values.ts';
import { writeModel } from '../write.ts';
import { cases, type Case } from '../testing/derivativeCases.ts';
import { differentiable, differentiate } from './reverse.ts';

const BATCH_SIZE = 2;
const STEP = 1e-2;
const TOLERANCE = 2e-3;
const FIRST_SEED = 20240;

const concrete = (dims: readonly Dim[]) => dims.map((dim) => (isBatch(dim) ? dim.batch * BATCH_SIZE : dim));

function uniform(random: Random, dims: readonly number[], from: number, to: number): Tensor {
  return floatTensor(random.fillUniform(new Float32Array(sizeOf(dims)), from, to), dims);
}

/** The node under test with its inputs and, per output k, an input `G{k}`. */
function forwardGraph({ op, inputs, attributes, outputs }: Case): Graph {
  const graph = new Graph(20);
  const names = inputs.map((input, i) => {
    if (!('constant' in input)) return graph.addInput(`x${i}`, { type: 'float32', dims: input.dims });
    if (input.dims[0] === 0) return '';
    const isMask = op === 'Where';
    return graph.addConstant(
      `c${i}`,
      makeConstant(isMask ? 'bool' : input.constant, input.dims, input.values),
    );
  });
  const produced = Array.from({ length: outputs }, (_, k) => `y${k}`);
  const node: Node = { op, name: 'tested', inputs: names, outputs: produced, attributes };
  recordTypes(graph, new KnownValues(graph), node);
  graph.nodes.push(node);
  for (const output of produced) graph.addInput(`G${output.slice(1)}`, graph.typeOf(output));
  return graph;
}

function withGradients(tested: Case): { graph: Graph; bytes: Uint8Array } {
  const graph = forwardGraph(tested);
  const [node] = graph.nodes;
  const weights = new Builder(graph, graph.nodes, 'weights/');
  const backward: Node[] = [];
  const at = new Builder(graph, backward, 'backward/');
  const seeds = new Map(node!.outputs.map((output) => [output, `G${output.slice(1)}`]));
  const wanted = tested.wanted.map((i) => node!.inputs[i]!);
  const gradients = differentiate({ forward: [node!], at, weights, seeds, wanted });
  gradients.forEach((gradient, i) => at.named(`d${wanted[i]!}`, 'Identity', [gradient]));
  graph.nodes.push(...backward);
  graph.outputs.push(...node!.outputs, ...wanted.map((name) => `d${name}`));
  lower(graph);
  return { graph, bytes: writeModel(graph, new Map()) };
}

type Feeds = Record<string, Tensor>;

/** Σ (y(x + step) − y(x − step))·G / 2·step for one number of one input. */
async function difference(
  session: InferenceSession,
  feeds: Feeds,
  name: string,
  index: number,
): Promise<number> {
  const moved = async (step: number) => {
    const values = floatsOf(feeds[name]).slice();
    values[index] = values[index]! + step;
    return session.run({ ...feeds, [name]: floatTensor(values, feeds[name]!.dims) });
  };
  const [above, below] = [await moved(STEP), await moved(-STEP)];
  const outputs = Object.keys(above).filter((output) => output.startsWith('y'));
  const slopes = outputs.map((output) => {
    const [high, low, seed] = [above[output], below[output], feeds[`G${output.slice(1)}`]].map(floatsOf);
    return high!.reduce((sum, value, i) => sum + (value - low![i]!) * seed![i]!, 0);
  });
  return slopes.reduce((a, b) => a + b, 0) / (2 * STEP);
}

async function check(tested: Case, seed: number): Promise<void> {
  const { graph, bytes } = withGradients(tested);
  const session = await openGraph(bytes);
  const random = new Random(seed);
  const ranges = new Map(tested.inputs.map((input, i) => [`x${i}`, 'constant' in input ? undefined : input]));
  const feeds: Feeds = {};
  for (const [name, { dims }] of graph.inputs)
    feeds[name] = uniform(random, concrete(dims), ranges.get(name)?.from ?? -1, ranges.get(name)?.to ?? 1);
  const outputs = await session.run(feeds);
  for (const i of tested.wanted) {
    const found = outputs[`dx${i}`]!;
    expect(found.dims).toEqual(feeds[`x${i}`]!.dims);
    const expected: number[] = [];
    for (let k = 0; k < found.size; k++) expected.push(await difference(session, feeds, `x${i}`, k));
    const size = Math.hypot(...expected);
    const error = Math.hypot(...expected.map((value, k) => value - floatsOf(found)[k]!));
    expect(error, `seed ${seed}, input ${i}`).toBeLessThanOrEqual(TOLERANCE * Math.max(size, 0.1));
  }
  await session.release();
}

const title = ({ op, inputs, attributes }: Case) => {
  const shapes = inputs.map((input) => `${'constant' in input ? 'constant ' : ''}${showDims(input.dims)}`);
  const settings = Object.entries(attributes).map(([name, { value }]) => `${name} ${JSON.stringify(value)}`);
  return `${op} ${[...shapes, ...settings].join(', ')}`;
};

describe('derivative rules against central differences', () => {
  it.each(cases.map((tested, i) => [title(tested), tested, FIRST_SEED + i] as const))(
    '%s',
    async (_, tested, seed) => {
      await check(tested, seed);
    },
  );

  it('the table covers every rule', () => {
    expect([...new Set(cases.map(({ op }) => op))].sort()).toEqual(differentiable().sort());
  });
});
