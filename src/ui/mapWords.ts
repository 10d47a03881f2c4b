/** How the places of a concept's map are called. */

/** Whether a layer lies on the U-Net's way down, in its middle, where feature maps are smallest, or on its way up. */
export function wayOf(sides: readonly number[], layer: number): 'down' | 'middle' | 'up' {
  const least = Math.min(...sides);
  // On the way up the smallest size may come again: the middle is its first time.
  const middle = sides.indexOf(least);
  if (layer === middle) return 'middle';
  return layer < middle ? 'down' : 'up';
}

const ARROWS = { down: '↓', middle: '•', up: '↑' } as const;

export function layerLabel(sides: readonly number[], layer: number): string {
  const side = sides[layer]!;
  return `${ARROWS[wayOf(sides, layer)]} ${side}×${side}`;
}

export function placeName(sides: readonly number[], timestep: number, layer: number): string {
  const side = sides[layer]!;
  return `Layer ${layer + 1}, ${wayOf(sides, layer)}, ${side}×${side}, timestep ${timestep}`;
}
