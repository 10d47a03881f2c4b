/** Our cards: a PNG that shows what a concept draws and carries its file, in a chunk that other programs pass over and keep. */
import { chunksOf, writeChunk } from './pngChunk.ts';

/** By the case of its letters ancillary, private and safe to copy. */
const CONCEPT_CHUNK = 'neTi';

/** Length, type and checksum of the chunk that ends every PNG. */
const END_BYTES = 12;

/** The picture with a concept file in it. */
export async function withConcept(png: Blob, concept: Blob): Promise<Blob> {
  const body = new Uint8Array(await concept.arrayBuffer());
  const end = png.size - END_BYTES;
  return new Blob([png.slice(0, end), writeChunk(CONCEPT_CHUNK, body), png.slice(end)], {
    type: 'image/png',
  });
}

/** The concept file in a picture, null where there is none. */
export function conceptInPng(png: Uint8Array): Uint8Array<ArrayBuffer> | null {
  for (const { type, body } of chunksOf(png)) if (type === CONCEPT_CHUNK) return new Uint8Array(body);
  return null;
}
