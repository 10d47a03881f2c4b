/** Writes what `torch.load` reads: a stored zip of a pickle and one storage of float32 numbers for each tensor. */
import { zipSync } from 'fflate';
import { PersistentId, PickledGlobal, PickledObject, PickledTuple, type Pickled } from './pickled.ts';
import { writePickle } from './pickleWriter.ts';
import type { Float32Tensor } from './safetensors.ts';

const FORMAT_VERSION = '3\n';

export class TorchWriter {
  private readonly storages: Uint8Array[] = [];

  /** A tensor to be placed anywhere in the value that is written; placed twice, it is one storage. */
  tensor({ shape, values }: Float32Tensor): PickledObject {
    const key = `${this.storages.length}`;
    this.storages.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const storage = ['storage', new PickledGlobal('torch.FloatStorage'), key, 'cpu', values.length];
    return new PickledObject(
      'torch._utils._rebuild_tensor_v2',
      new PickledTuple([
        new PersistentId(new PickledTuple(storage)),
        0,
        new PickledTuple(shape),
        new PickledTuple(rowMajorStrides(shape)),
        false,
        orderedDictionary(),
      ]),
    );
  }

  /** The bytes of the file. */
  write(value: Pickled): Uint8Array<ArrayBuffer> {
    const storages = this.storages.map((bytes, key) => [`archive/data/${key}`, bytes] as const);
    return storedZip(
      new Map([
        ['archive/data.pkl', writePickle(value)],
        ['archive/byteorder', new TextEncoder().encode('little')],
        ...storages,
        ['archive/version', new TextEncoder().encode(FORMAT_VERSION)],
      ]),
    );
  }
}

/** An empty `collections.OrderedDict`. */
export function orderedDictionary(): PickledObject {
  return new PickledObject('collections.OrderedDict', new PickledTuple([]));
}

/** A zip without compression, the same bytes whenever it is written. */
export function storedZip(entries: ReadonlyMap<string, Uint8Array>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(zipSync(Object.fromEntries(entries), { level: 0, mtime: new Date(1980, 0, 1) }));
}

function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => shape.slice(axis + 1).reduce((product, extent) => product * extent, 1));
}
