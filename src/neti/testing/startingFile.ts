/** A starting mapper's file as models/training/starting_mapper.py writes it: half precision but for the frequencies. */
import { numberToHalf } from '../../lib/half.ts';
import { missingFile, type OpenFile } from '../../lib/modelFiles.ts';
import { layout } from '../../lib/modelLayout.ts';
import { writeSafetensors, type WrittenTensor } from '../../lib/safetensors.ts';
import type { MapperState } from '../mapper.ts';

export function startingFile(
  state: MapperState,
  shapes: ReadonlyMap<string, readonly number[]>,
): Uint8Array<ArrayBuffer> {
  const tensors = [...shapes].map(([name, shape]): [string, WrittenTensor] => {
    const values = state.get(name)!;
    return [name, { shape, values: name === 'encoder.w' ? values : Uint16Array.from(values, numberToHalf) }];
  });
  return writeSafetensors(new Map(tensors), new Map());
}

/** A base of that file alone, or of none. */
export const opening =
  (file: BlobPart | null): OpenFile =>
  (path) =>
    file !== null && path === layout.startingMapper
      ? Promise.resolve(new Blob([file]))
      : Promise.reject(missingFile('micro', path));
