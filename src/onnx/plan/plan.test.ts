/** The planner on graphs small enough to count by hand, and on Stable Diffusion 1.5 at full size. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Builder } from '../builder.ts';
import { BATCH, type Dim } from '../dims.ts';
import { Graph, int, type Node } from '../graph.ts';
import { conditional } from '../branch.ts';
import type { CompileOptions } from '../options.ts';
import { HollowBlob } from '../testing/hollowBlob.ts';
import { readStock } from '../stock.ts';
import { compileUnet } from '../prepare.ts';
import { makeConstant } from '../values.ts';
import { operationsOf } from './cost.ts';
import { simulateMemory } from './memory.ts';
import { executionOrder } from './order.ts';

/** A graph with an input x [B, 4], whose batch of 2 makes 32 bytes. */
function graphOf(build: (at: Builder) => string[]): Graph {
  const graph = new Graph(20);
  graph.addInput('x', { type: 'float32', dims: [BATCH, 4] });
  graph.addInput('condition', { type: 'bool', dims: [] });
  graph.outputs.push(...build(new Builder(graph, graph.nodes, '')));
  return graph;
}

const peak = (build: (at: Builder) => string[]) => simulateMemory(graphOf(build), 2).activationBytes;

describe('life times', () => {
  it('a value is freed after its last reader', () => {
    const chain = (at: Builder) => [[0, 1, 2].reduce((x) => at.op('Softmax', [x]), 'x')];
    expect(peak(chain)).toBe(2 * 32);
    const kept = (at: Builder) => {
      const first = at.op('Softmax', ['x']);
      const last = [0, 1, 2].reduce((x) => at.op('Softmax', [x]), first);
      return [at.op('Add', [first, last])];
    };
    expect(peak(kept)).toBe(3 * 32);
  });

  it('a view lies in its input; nothing else is written over what it reads', () => {
    expect(peak((at) => [at.op('Neg', [at.op('Exp', ['x'])])])).toBe(2 * 32);
    expect(peak((at) => [at.op('Neg', [at.reshape(at.op('Exp', ['x']), [BATCH, 2, 2])])])).toBe(2 * 32);
    expect(peak((at) => [at.op('Exp', ['x']), at.op('Neg', ['x'])])).toBe(2 * 32);
  });

  /** A value of 128 bytes, a wide one, one of 128 again, each from the mean of the one before. */
  const rising = (rows: Dim, columns: number) => (at: Builder) => {
    const repeat = (value: string, times: number) =>
      at.op('Concat', Array<string>(times).fill(value), { axis: int(1) });
    const first = at.reshape(at.op('Exp', ['x']), [rows, columns]);
    const wide = repeat(at.reduceMean(repeat(first, 4), [1]), 64);
    return [at.reduceMean(repeat(at.reduceMean(wide, [1]), 4 * columns), [1])];
  };

  it('a buffer that a later value of its shape takes is held until then', () => {
    expect(peak(rising(BATCH, 4))).toBe(128 + 2 * 4 + 2 * 4 * 64);
  });

  it('it is given back at once where onnxruntime does not know the shapes to be the same', () => {
    expect(simulateMemory(graphOf(rising(BATCH, 4)), 2, { batchIsNamed: false }).activationBytes).toBe(
      2 * 4 + 2 * 4 * 64,
    );
    const behindReshape = rising({ batch: 2 }, 2);
    expect(peak(behindReshape)).toBe(4 * 4 + 4 * 4 * 64);
  });

  /** Halves of 32 bytes, of which one is read by `rest`; last a value of 1024 bytes, from the mean of what that makes. */
  const halved =
    (whole: (at: Builder) => string, rest: (at: Builder, half: string) => string) => (at: Builder) => {
      const [, half] = at.ops('Split', [whole(at)], { axis: int(1), num_outputs: int(2) }, 2);
      const mean = at.reduceMean(rest(at, half!), [1]);
      return [at.reduceMean(at.op('Concat', Array<string>(128).fill(mean), { axis: int(1) }), [1])];
    };
  const last = 2 * 4 + 2 * 4 * 128;

  // Native onnxruntime 1.32 asks for the same on graphs of these forms (fixtures/ort_memory.py, counted_peak).
  it('what nobody reads is held until the scope ends, unless a value that is read takes its buffer', () => {
    const twice = (at: Builder) => at.op('Concat', ['x', 'x'], { axis: int(1) });
    expect(peak(halved(twice, (_, half) => half))).toBe(last + 32);
    expect(peak(halved(twice, (at, half) => at.op('Exp', [half])))).toBe(last);
    // The half that nobody reads takes the buffer of Exp, whose reader is past.
    const fromMean = (at: Builder) => {
      const mean = at.reduceMean(at.op('Exp', ['x']), [1]);
      return at.op('Concat', Array<string>(8).fill(mean), { axis: int(1) });
    };
    expect(peak(halved(fromMean, (_, half) => half))).toBe(last + 32);
  });

  it('a branch runs on top of what is alive, and what it captures lives until then', () => {
    const branching = (at: Builder) => {
      const captured = at.op('Softmax', ['x']);
      const other = at.op('Softmax', ['x']);
      const inner: Node[] = [];
      const branch = new Builder(at.graph, inner, 'inner/');
      const result = branch.op('Concat', [branch.op('Softmax', [captured]), other], { axis: int(1) });
      at.nodes.push(
        conditional({ graph: at.graph, condition: 'condition' }, inner, new Map([['y', result]])),
      );
      return ['y'];
    };
    expect(peak(branching)).toBe((2 + 1 + 2) * 32);
  });

  it('what follows from weights is a weight; one that nothing else reads is not kept', () => {
    const graph = graphOf((at) => {
      at.graph.addConstant('w', makeConstant('float32', [4, 4], Array<number>(16).fill(1)));
      return [at.op('MatMul', ['x', at.transpose('w', [1, 0])])];
    });
    expect(simulateMemory(graph, 2)).toEqual({ weightBytes: 64, activationBytes: 32, largestBytes: 64 });
  });
});

it('nodes run depth first from the last leaf', () => {
  const node = (name: string, ...inputs: string[]): Node => ({
    op: 'Exp',
    name,
    inputs,
    outputs: [name],
    attributes: {},
  });
  const nodes = [node('a', 'x'), node('b', 'x'), node('c', 'a'), node('d', 'b', 'a')];
  expect(executionOrder(nodes).map(({ name }) => name)).toEqual(['b', 'a', 'd', 'c']);
});

it('operations of products', () => {
  const graph = graphOf((at) => {
    at.graph.addConstant('w', makeConstant('float32', [4, 5], Array<number>(20).fill(1)));
    at.graph.addConstant('k', makeConstant('float32', [6, 4, 2, 2], Array<number>(96).fill(1)));
    const picture = at.reshape(at.op('Concat', ['x', 'x', 'x', 'x'], { axis: int(1) }), [BATCH, 4, 2, 2]);
    return [at.op('MatMul', ['x', 'w']), at.op('Conv', [picture, 'k'])];
  });
  const operations = (op: string) =>
    graph.nodes.filter((node) => node.op === op).map((node) => operationsOf(graph, node, 2));
  expect(operations('MatMul')).toEqual([2 * 2 * 4 * 5]);
  expect(operations('Conv')).toEqual([2 * 2 * 6 * (4 * 2 * 2)]);
});

describe('Stable Diffusion 1.5 at 512 × 512, one picture', () => {
  const file = gunzipSync(readFileSync(new URL('../fixtures/sd15_unet.onnx.gz', import.meta.url)));
  const path = 'unet/model.onnx';
  const stock = readStock(path, (name) =>
    Promise.resolve(name === path ? new Blob([file]) : new HollowBlob()),
  );
  const planned = async (options: CompileOptions) => {
    const sizes = { latent: [4, 64, 64], tokens: 77, contextWidth: 768 };
    const { graph, plan } = compileUnet(await stock, sizes, options);
    return { graph, extraCompute: 0, segments: 1, ...(plan ?? simulateMemory(graph, 1)) };
  };
  const PARAMETERS = 859_520_964;

  it('float16 within 2 GB: at most 4 GB in all, each weight once, at most 35 % computed twice', async () => {
    const plan = await planned({ precision: 'float16', activationBudget: 2e9 });
    expect(plan.activationBytes).toBeLessThanOrEqual(2e9);
    expect(plan.weightBytes + plan.activationBytes).toBeLessThanOrEqual(4e9);
    expect(plan.weightBytes / (2 * PARAMETERS)).toBeCloseTo(1, 2);
    expect(plan.extraCompute).toBeLessThanOrEqual(0.35);
    expect(plan.segments).toBeGreaterThan(1);
    // What WebGPU lets every card bind at the least.
    expect(plan.largestBytes).toBeLessThanOrEqual(128 * 2 ** 20);
    const order = executionOrder(plan.graph.nodes);
    const lastProduct = order.findLastIndex(({ op }) => op === 'Conv');
    expect(lastProduct).toBeLessThan(order.findIndex(({ op }) => op === 'If'));
  });

  it('without a budget it would take more', async () => {
    const plan = await planned({ precision: 'float16' });
    expect(plan.weightBytes + plan.activationBytes).toBeGreaterThan(6e9);
    // The attention of 8 heads over 64 × 64 positions, whose softmax computes in float32.
    expect(plan.largestBytes).toBe(4 * 8 * 4096 ** 2);
  });
});
