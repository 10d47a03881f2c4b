/** Elements that lie in a storage by strides, in row-major order. */
import { sizeOf } from './numbers.ts';

export interface Strided {
  readonly shape: readonly number[];
  /** In elements, one a dimension. */
  readonly strides: readonly number[];
  /** In elements, of the first. */
  readonly offset: number;
}

/** The bytes of the elements: a view where they lie in order, a copy otherwise. */
export function gather(
  storage: Uint8Array,
  itemBytes: number,
  { shape, strides, offset }: Strided,
): Uint8Array {
  const count = sizeOf(shape);
  if (isContiguous(shape, strides)) return storage.subarray(offset * itemBytes, (offset + count) * itemBytes);
  const bytes = new Uint8Array(count * itemBytes);
  for (let i = 0; i < count; i++) {
    let [rest, source] = [i, offset];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += (rest % shape[axis]!) * strides[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    bytes.set(storage.subarray(source * itemBytes, (source + 1) * itemBytes), i * itemBytes);
  }
  return bytes;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
