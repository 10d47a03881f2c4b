/**
 * Style mixing (NeTI, the fourth result): one prompt, two concepts. From a chosen timestep on, the coarse cross-attention
 * layers, which lay out the picture, keep reading the geometry concept while the others read the appearance concept.
 * On the noisier timesteps before it every layer reads the geometry concept, so an earlier start passes less geometry.
 */
import type { PromptContexts, StepContexts } from '../diffusion/sampling.ts';

/** Which layers lay out the picture: those whose feature map has at most a quarter of the latents' side. */
export function coarseLayers(positions: readonly number[]): boolean[] {
  const finest = Math.max(...positions);
  return positions.map((count) => count * 16 <= finest);
}

export interface MixingPlan {
  readonly geometry: PromptContexts;
  readonly appearance: PromptContexts;
  /** One flag a layer, see `coarseLayers`. */
  readonly coarse: readonly boolean[];
  /** The first (noisiest) timestep, 0 … T, at which layers are split; negative: never. */
  readonly start: number;
  /** The sampler's timesteps, falling. */
  readonly timesteps: readonly number[];
}

/** Contexts [L, T, D] of the mixed prompt at every sampler step. */
export function mixContexts({ geometry, appearance, coarse, start, timesteps }: MixingPlan): PromptContexts {
  return (index) => {
    const own = geometry(index);
    return timesteps[index]! > start ? own : splitLayers(own, appearance(index), coarse);
  };
}

/** Contexts [L, T, D] that read one in the layers of the flags, and another in the rest. */
export function splitLayers(one: StepContexts, other: StepContexts, isOne: readonly boolean[]): StepContexts {
  const split = (side: keyof StepContexts) => {
    const mixed = other[side].slice();
    const size = mixed.length / isOne.length;
    isOne.forEach((flag, layer) => {
      if (flag) mixed.set(one[side].subarray(layer * size, (layer + 1) * size), layer * size);
    });
    return mixed;
  };
  return { keys: split('keys'), values: split('values') };
}
