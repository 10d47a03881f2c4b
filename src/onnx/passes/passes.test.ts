/** Shape arithmetic with a free batch, and the recognised patterns. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { halfToNumber, numberToHalf } from '../../lib/half.ts';
import { addDims, BATCH, broadcastDims, divDims, mulDims, sameDims } from '../dims.ts';
import { Graph, int } from '../graph.ts';
import { readModel } from '../read.ts';
import { readStock } from '../stock.ts';
import { lower } from './lower.ts';
import { simplify } from './patterns.ts';
import { reshapeTo } from '../reshapeTo.ts';
import { restoreScale } from './restore.ts';
import { specialize } from './specialize.ts';

const fixtures = new URL('../fixtures/', import.meta.url);

async function standardForm(path: string) {
  const bytes = readFileSync(new URL(path, fixtures));
  const plain = new Uint8Array(path.endsWith('.gz') ? gunzipSync(bytes) : bytes);
  const stock = await readStock(path, () => Promise.resolve(new Blob([plain])));
  const graph = simplify(specialize(readModel(stock), new Map()));
  const counts = new Map<string, number>();
  for (const { op } of graph.nodes) counts.set(op, (counts.get(op) ?? 0) + 1);
  return counts;
}

describe('dimensions', () => {
  it('arithmetic stays in numbers and multiples of the batch', () => {
    expect(mulDims(BATCH, 8)).toEqual({ batch: 8 });
    expect(divDims({ batch: 8 }, 4)).toEqual({ batch: 2 });
    expect(divDims({ batch: 8 }, BATCH)).toBe(8);
    expect(addDims(BATCH, BATCH)).toEqual({ batch: 2 });
    expect(mulDims(BATCH, 0)).toBe(0);
    expect(() => addDims(BATCH, 1)).toThrow('shape arithmetic');
    expect(() => mulDims(BATCH, BATCH)).toThrow('shape arithmetic');
    expect(() => divDims(BATCH, 2)).toThrow('shape arithmetic');
  });

  it('broadcasting', () => {
    expect(sameDims(broadcastDims([BATCH, 1, 3], [4, 1]), [BATCH, 4, 3])).toBe(true);
    expect(() => broadcastDims([2], [3])).toThrow('broadcast');
  });

  it('reshape targets name no batch', () => {
    expect(reshapeTo([BATCH, 6], [BATCH, 2, 3])).toEqual([0, 2, 3]);
    expect(reshapeTo([BATCH, 8, 6], [{ batch: 8 }, 6])).toEqual([-1, 6]);
    expect(reshapeTo([6, BATCH], [BATCH, 6])).toEqual([-1, 6]);
  });
});

describe('scales rounded by a half-precision export', () => {
  const half = (value: number) => halfToNumber(numberToHalf(value));

  it('attention scales, √2 and 1.702 are restored', () => {
    for (const exact of [6 ** -0.25, 40 ** -0.5, 160 ** -0.25, Math.SQRT2, 1.702])
      expect(restoreScale(half(exact))).toBeCloseTo(exact, 12);
    expect(restoreScale(half(Math.sqrt(half(6 ** -0.5))))).toBeCloseTo(6 ** -0.25, 12);
  });

  it('other numbers stay', () => {
    for (const value of [0.5, 1, 2, 1e-5, half(0.3), half(0.7)]) expect(restoreScale(value)).toBe(value);
  });
});

describe('standard form of exported graphs', () => {
  it.each(['micro/unet/model.onnx', 'unet_opset14.onnx.gz', 'unet_dynamo.onnx.gz'])(
    'U-Net %s',
    async (path) => {
      const counts = await standardForm(path);
      for (const op of ['Shape', 'Erf', 'Sigmoid', 'Pow', 'Slice'])
        expect(counts.get(op), op).toBeUndefined();
      expect(counts.get('LayerNormalization')).toBe(48);
      expect(counts.get('Gelu')).toBe(16);
      expect(counts.get('QuickGelu')).toBe(47);
      expect(counts.get('Softmax')).toBe(32);
      expect(counts.get('Conv')).toBe(98);
    },
  );
});

it.each([
  [7, ['Split']],
  [16, Array.from({ length: 16 }, () => 'Slice')],
])('a shader gets at most 8 buffers: %i parts', (parts, operators) => {
  const graph = new Graph(17);
  const outputs = Array.from({ length: parts }, (_, i) => `part${i}`);
  graph.addInput('x', { type: 'float32', dims: [BATCH, 4 * parts] });
  for (const output of outputs) graph.types.set(output, { type: 'float32', dims: [BATCH, 4] });
  graph.nodes.push({ op: 'Split', name: 's', inputs: ['x'], outputs, attributes: { axis: int(-1) } });
  lower(graph);
  expect(graph.nodes.map(({ op }) => op)).toEqual(operators);
  expect(graph.nodes.flatMap((node) => node.outputs)).toEqual(outputs);
});
