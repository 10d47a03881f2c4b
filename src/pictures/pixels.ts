/** Pictures as plain data, and their change into the model's numbers: RGB planes in −1…1. */

/** An RGBA picture, 8 bits a channel, rows from the top: `data.length === 4 * width * height`. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray<ArrayBuffer>;
}

/** A part of a picture, in its pixels. */
export interface Crop {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** RGB planes [3, height, width] in −1…1; alpha is ignored. */
export function toPlanes({ width, height, data }: Pixels): Float32Array<ArrayBuffer> {
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let i = 0; i < area; i++)
    for (let channel = 0; channel < 3; channel++)
      planes[channel * area + i] = data[4 * i + channel]! / 127.5 - 1;
  return planes;
}

/** The inverse of `toPlanes`: opaque, values outside −1…1 are clamped. */
export function fromPlanes(planes: Float32Array, width: number, height: number): Pixels {
  const area = width * height;
  const data = new Uint8ClampedArray(4 * area).fill(255);
  for (let i = 0; i < area; i++)
    for (let channel = 0; channel < 3; channel++)
      data[4 * i + channel] = (planes[channel * area + i]! + 1) * 127.5;
  return { width, height, data };
}

/** Mirrors RGB planes [3, height, width] left to right. */
export function flipPlanes(planes: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const flipped = new Float32Array(planes.length);
  for (let row = 0; row < planes.length; row += width)
    flipped.set(planes.slice(row, row + width).reverse(), row);
  return flipped;
}

/** Peak signal-to-noise ratio in dB of two planes in −1…1 (peak-to-peak 2). */
export function psnr(a: Float32Array, b: Float32Array): number {
  let squares = 0;
  for (let i = 0; i < a.length; i++) squares += (Math.max(-1, Math.min(1, a[i]!)) - b[i]!) ** 2;
  return 10 * Math.log10((4 * a.length) / squares);
}
