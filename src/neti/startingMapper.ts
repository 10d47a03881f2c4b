/**
 * The starting mapper of a base: weights that NeTI begins with instead of the official implementation's random ones. They were
 * meta-trained over many concepts (models/training/starting_mapper.py, Reptile), so that a few steps make any of them. The file
 * holds a mapper's tensors under their official names, in half precision but for the frequencies.
 */
import { AppError } from '../lib/errors.ts';
import { readOptionalBytes, type OpenFile } from '../lib/modelFiles.ts';
import { layout } from '../lib/modelLayout.ts';
import { readSafetensors, toFloat32, type StoredTensor } from '../lib/safetensors.ts';
import type { MapperState } from './mapper.ts';
import { stateShapes, type MapperConfig } from './mapperConfig.ts';

export type StartingMapper = ReadonlyMap<string, StoredTensor>;

/** Null for a base that has none: a file of another form by that name is some other program's. Throws what else `open` throws. */
export async function readStartingMapper(open: OpenFile): Promise<StartingMapper | null> {
  const bytes = await readOptionalBytes(open, layout.startingMapper);
  try {
    return bytes && readSafetensors(bytes).tensors;
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}

/** Its weights for a mapper of this form; null where a tensor is missing, has another shape, or holds what is no number. */
export function startingState(start: StartingMapper, config: MapperConfig): MapperState | null {
  const state = new Map<string, Float32Array<ArrayBuffer>>();
  for (const [name, shape] of stateShapes(config)) {
    const tensor = start.get(name);
    if (!tensor || tensor.shape.join() !== shape.join()) return null;
    state.set(name, toFloat32(tensor));
  }
  return [...state.values()].every((values) => values.every(Number.isFinite)) ? state : null;
}
