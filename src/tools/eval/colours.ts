/**
 * What colours a thing has, whatever its shape: a histogram of the picture without its plain ground. Two histograms are
 * compared by their intersection (Swain and Ballard 1991).
 */
import { median } from 'simple-statistics';

/** Bins a channel. */
const BINS = 4;
/** A pixel belongs to the thing when a channel is this far from the ground's, of a range of 2. */
const GROUND_TOLERANCE = 0.25;

/** Share of the thing's pixels in each of 64 colour bins. @param planes [3, side, side] in −1…1. */
export function colourHistogram(planes: Float32Array, side: number): number[] {
  const area = side * side;
  const channels = [0, 1, 2].map((c) => planes.subarray(c * area, (c + 1) * area));
  const ground = channels.map((channel) => median(border(channel, side)));
  const counts = new Array<number>(BINS ** 3).fill(0);
  let pixels = 0;
  for (let i = 0; i < area; i++) {
    if (channels.every((channel, c) => Math.abs(channel[i]! - ground[c]!) < GROUND_TOLERANCE)) continue;
    const bin = channels.reduce((index, channel) => index * BINS + binOf(channel[i]!), 0);
    counts[bin] = counts[bin]! + 1;
    pixels += 1;
  }
  return counts.map((count) => count / Math.max(1, pixels));
}

/** 0 for no colour in common, 1 for the same shares of every colour. */
export function intersection(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, share, i) => sum + Math.min(share, b[i]!), 0);
}

const binOf = (value: number) => Math.min(BINS - 1, Math.max(0, Math.floor(((value + 1) / 2) * BINS)));

function border(channel: Float32Array, side: number): number[] {
  return Array.from(channel).filter((_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return x === 0 || y === 0 || x === side - 1 || y === side - 1;
  });
}
