/** Colours of a concept's map, in OKLCH: equal steps of a number look like equal steps of colour. */
import type { SpaceTimeMap } from '../store/state.ts';

export type MapView = 'meaning' | 'length' | 'distance';

/** Numbers beyond these shares of all have the colours of the ends, so that a few far out do not take all the others'. */
const TAILS = [0.03, 0.97] as const;

/** [0, 1] from the small to the large of the numbers; the middle where they are all alike. */
function scaled(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const sorted = list.toSorted((a, b) => a - b);
  const [least, most] = TAILS.map((share) => sorted[Math.round(share * (sorted.length - 1))]!) as [
    number,
    number,
  ];
  const share = (value: number) => Math.min(1, Math.max(0, (value - least) / (most - least)));
  return list.map((value) => (most > least ? share(value) : 0.5));
}

export function rangeOf(values: ArrayLike<number>): readonly [least: number, most: number] {
  const list = Array.from(values);
  return [Math.min(...list), Math.max(...list)];
}

const everySecond = (values: Float32Array, first: 0 | 1) => values.filter((_, i) => i % 2 === first);

/** The first component goes along hues, without coming back to where it began, the second from dark to light. */
function meaningColours({ components }: SpaceTimeMap): string[] {
  const [hues, lights] = [scaled(everySecond(components, 0)), scaled(everySecond(components, 1))];
  return hues.map((hue, i) => `oklch(${0.5 + 0.36 * lights[i]!} 0.13 ${25 + 265 * hue})`);
}

/** From the ground of the page to its accent's hue. */
function rampColours(values: ArrayLike<number>): string[] {
  return scaled(values).map((share) => `oklch(${0.93 - 0.55 * share} ${0.03 + 0.13 * share} 268)`);
}

/** The numbers that a view shows; null for the one that shows two at once, or where there are none. */
export function viewNumbers(map: SpaceTimeMap, view: MapView): Float32Array | null {
  if (view === 'meaning') return null;
  return view === 'length' ? map.norms : map.distances;
}

/** A CSS colour a place, [T, L]. */
export function mapColours(map: SpaceTimeMap, view: MapView): readonly string[] {
  const numbers = viewNumbers(map, view);
  return numbers === null ? meaningColours(map) : rampColours(numbers);
}
