/** Shape inputs of Reshape that stay constant while the batch is free. */
import { isBatch, sameDim, type Dim } from './dims.ts';

/** Target of a Reshape from `from` to `to` without naming the batch: 0 copies the input's, -1 is what remains. */
export function reshapeTo(from: readonly Dim[], to: readonly Dim[]): number[] {
  return to.map((dim, i) => {
    if (!isBatch(dim)) return dim;
    const source = from[i];
    return source !== undefined && sameDim(source, dim) ? 0 : -1;
  });
}
