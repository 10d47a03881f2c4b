/** PNG data URLs there and back. */
import { expect, it } from 'vitest';
import { fromPngUrl, toPngUrl } from './pngUrl.ts';

it('gives the bytes back', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  expect(toPngUrl(bytes)).toMatch(/^data:image\/png;base64,AAEC/);
  expect(fromPngUrl(toPngUrl(bytes))).toEqual(bytes);
});

it.each(['', 'data:image/jpeg;base64,AAEC', 'https://example.org/a.png'])(
  'is not taken in by “%s”',
  (url) => {
    expect(fromPngUrl(url)).toBeNull();
  },
);
