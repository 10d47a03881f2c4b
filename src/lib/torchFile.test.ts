/** PyTorch's files of every form, as PyTorch wrote them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readSafetensors, toFloat32 } from './safetensors.ts';
import { storedZip, TorchWriter } from './torchWriter.ts';
import { readTorchFile, TENSOR_GLOBALS, type TorchFile } from './torchFile.ts';
import { zipSync } from 'fflate';
import { PersistentId, PickledGlobal, PickledObject, PickledTuple, type Pickled } from './pickled.ts';
import { writePickle } from './pickleWriter.ts';

const GLOBALS = new Set(TENSOR_GLOBALS);
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url));
const goldens = readSafetensors(fixture('tensors.safetensors')).tensors;

function entry({ value }: TorchFile, name: string): Pickled | undefined {
  return value instanceof Map ? value.get(name) : undefined;
}

describe('readTorchFile', () => {
  it.each(['tensors.pt', 'tensors-legacy.pt', 'tensors-protocol4.pt'])(
    'reads types, strides and offsets as torch does: %s',
    (name) => {
      const file = readTorchFile(fixture(name), GLOBALS);
      expect(goldens.size).toBe(10);
      for (const [key, golden] of goldens) {
        const tensor = file.tensor(entry(file, key), key);
        expect(tensor.shape, key).toEqual(golden.shape);
        expect(toFloat32(tensor), key).toEqual(toFloat32(golden));
      }
    },
  );

  it('reads what it writes', () => {
    const writer = new TorchWriter();
    const values = Float32Array.of(1, -2, 3.5, 4, 5, 6);
    const value = new Map<Pickled, Pickled>([
      ['x', writer.tensor({ shape: [2, 3], values })],
      [
        'settings',
        new Map<Pickled, Pickled>([
          ['rate', 1e-3],
          ['steps', -70_000],
          ['on', true],
          ['text', 'Grüße'],
        ]),
      ],
      ['list', [1, null, false]],
    ]);
    const file = readTorchFile(writer.write(value), GLOBALS);
    expect(toFloat32(file.tensor(entry(file, 'x'), 'x'))).toEqual(values);
    expect(entry(file, 'settings')).toEqual(value.get('settings'));
    expect(entry(file, 'list')).toEqual([1, null, false]);
  });

  const tensorOf = (shape: number[], strides: number[], offset = 0, elements = 4) =>
    new PickledObject(
      'torch._utils._rebuild_tensor_v2',
      new PickledTuple([
        new PersistentId(
          new PickledTuple(['storage', new PickledGlobal('torch.FloatStorage'), '0', 'cpu', elements]),
        ),
        offset,
        new PickledTuple(shape),
        new PickledTuple(strides),
        false,
        null,
      ]),
    );
  const archive = (value: Pickled, storage = new Uint8Array(16)) =>
    storedZip(
      new Map([
        ['a/data.pkl', writePickle(value)],
        ['a/data/0', storage],
      ]),
    );

  it.each([
    ['beyond its storage', tensorOf([5], [1])],
    ['beyond by its offset', tensorOf([4], [1], 1)],
    ['beyond by its stride', tensorOf([2], [4])],
    ['claiming more than the storage has', tensorOf([5], [1], 0, 5)],
    ['of endless size without strides', tensorOf([2 ** 30, 2 ** 30], [0, 0])],
    ['with a negative stride', tensorOf([2], [-1], 3)],
    ['with too many dimensions', tensorOf(Array<number>(9).fill(1), Array<number>(9).fill(1))],
    ['with fewer strides than dimensions', tensorOf([2, 2], [1])],
    ['that is none', 'text'],
  ])('refuses a tensor %s', (_, value) => {
    const file = readTorchFile(archive(value), GLOBALS);
    expect(() => file.tensor(file.value, 'x')).toThrow(expect.objectContaining({ code: 'torch.corrupt' }));
  });

  it.each([
    ['compressed, so a bomb', zipSync({ 'a/data.pkl': [new Uint8Array(2 ** 24), { level: 9 }] })],
    ['not by torch', storedZip(new Map([['readme.txt', new Uint8Array(4)]]))],
    [
      'big-endian',
      storedZip(
        new Map([
          ['a/data.pkl', writePickle(null)],
          ['a/byteorder', new TextEncoder().encode('big')],
        ]),
      ),
    ],
    ['cut off', archive(null).subarray(0, 60)],
    ['empty', new Uint8Array()],
    ['text', new TextEncoder().encode('not a file of tensors')],
  ])('refuses a file that is %s', (_, bytes) => {
    expect(() => readTorchFile(bytes, GLOBALS)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^(torch\.corrupt|pickle\.(corrupt|refused))$/) as string,
      }),
    );
  });
});
