/**
 * A part of a concept's space-time, to see what it carries: inside, the word vector varies as it was learned; outside it is frozen at
 * the nearest place inside, or the category's word stands in the concept's stead.
 */
import type { PromptContexts } from '../diffusion/sampling.ts';
import { splitLayers } from './mixing.ts';

export interface Focus {
  /** Timesteps from the noisier to the cleaner, both among them. */
  readonly fromTimestep: number;
  readonly toTimestep: number;
  /** Layers in the U-Net's order, both among them, from 0. */
  readonly fromLayer: number;
  readonly toLayer: number;
  readonly outside: 'frozen' | 'category';
}

const clamp = (value: number, least: number, most: number) => Math.min(most, Math.max(least, value));

/** Where a frozen concept is read for a place: there, or at the nearest place inside. */
export function frozenPlace(
  { fromTimestep, toTimestep, fromLayer, toLayer }: Focus,
  timestep: number,
  layer: number,
): readonly [timestep: number, layer: number] {
  return [clamp(timestep, toTimestep, fromTimestep), clamp(layer, fromLayer, toLayer)];
}

function isInside(focus: Focus, timestep: number, layer: number): boolean {
  const [nearest, nearestLayer] = frozenPlace(focus, timestep, layer);
  return nearest === timestep && nearestLayer === layer;
}

export interface FocusPlan {
  readonly focus: Focus;
  /** Of the concept, and of the same prompt with the category's word. */
  readonly own: PromptContexts;
  readonly word: PromptContexts;
  readonly layers: number;
  /** The sampler's timesteps. */
  readonly timesteps: readonly number[];
}

/** Contexts [L, T, D] of a sampler step: the concept's inside, the word's outside. */
export function focusContexts({ focus, own, word, layers, timesteps }: FocusPlan): PromptContexts {
  return (index) => {
    const inside = Array.from({ length: layers }, (_, layer) => isInside(focus, timesteps[index]!, layer));
    return splitLayers(own(index), word(index), inside);
  };
}
