/** A file read piece by piece: its pieces are the file's, and the stream that is waited for is held. */
import { expect, it } from 'vitest';
import { HeldFile } from './heldFile.ts';

it('gives the pieces of its file and holds the stream of the last one', async () => {
  const file = new HeldFile(new Blob([Uint8Array.from({ length: 100 }, (_, i) => i)]));
  expect(file).toBeInstanceOf(Blob);
  expect(file.size).toBe(100);
  const first = file.slice(10, 20).stream();
  expect(file.stretch).toBe(first);
  const second = file.slice(97).stream();
  expect(file.stretch).toBe(second);
  expect(new Uint8Array(await new Response(first).arrayBuffer())).toEqual(
    Uint8Array.from({ length: 10 }, (_, i) => 10 + i),
  );
  expect(new Uint8Array(await new Response(second).arrayBuffer())).toEqual(Uint8Array.of(97, 98, 99));
});
