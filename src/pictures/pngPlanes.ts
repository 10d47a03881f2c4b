/** PNG files as the networks read them: planes [3, side, side] in −1…1. */
import { decode } from 'fast-png';
import { toPlanes } from './pixels.ts';

/** Throws when the picture has another size. */
export function pngPlanes(png: Uint8Array, side: number): Float32Array<ArrayBuffer> {
  return pngTiles(png, side, 1)[0]!;
}

/** The side × side tiles of a picture `columns` wide, row by row. Throws when it does not divide so. */
export function pngTiles(png: Uint8Array, side: number, columns: number): Float32Array<ArrayBuffer>[] {
  const { width, height, data, channels } = decode(png);
  if (width !== columns * side || height % side !== 0)
    throw new Error(`Expected ${columns} columns of ${side}×${side} pictures, found ${width}×${height}.`);
  return Array.from({ length: (columns * height) / side }, (_, tile) => {
    const [x0, y0] = [(tile % columns) * side, Math.floor(tile / columns) * side];
    const rgba = new Uint8ClampedArray(4 * side * side).fill(255);
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++)
        for (let c = 0; c < 3; c++)
          rgba[4 * (y * side + x) + c] = data[channels * ((y0 + y) * width + x0 + x) + c]!;
    return toPlanes({ width: side, height: side, data: rgba });
  });
}
