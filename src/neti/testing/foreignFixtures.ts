/** For the tests of this folder: its fixtures, and the bases they fit. */
import { readFileSync } from 'node:fs';
import { readSafetensors, toFloat32 } from '../../lib/safetensors.ts';
import type { OpenBase } from '../foreign/foreignConcept.ts';
import { importConcepts, type NamedFile } from '../foreign/importConcept.ts';

export const CREATED = '2026-01-01T00:00:00.000Z';

/** The official mappers' width is 12, the textual inversions' 128. */
export const base = (layers: number, contextWidth: number, tokens = 77): OpenBase => ({
  id: 'narrow',
  hash: 'cd'.repeat(32),
  layers,
  contextWidth,
  tokens,
  resolution: 64,
  predictionType: 'epsilon',
  architecture: 'test',
});

export function fixture(name: string): NamedFile {
  const file = readFileSync(new URL(`../foreign/fixtures/${name}`, import.meta.url));
  return { name, bytes: new Uint8Array(file) };
}

export function tensor(file: string, name: string): Float32Array {
  return toFloat32(readSafetensors(fixture(file).bytes).tensors.get(name)!);
}

/** The one concept in these files. */
export async function importFixtures(names: readonly string[], open: OpenBase) {
  const [concept] = await importConcepts(names.map(fixture), open, CREATED);
  return concept!;
}
