/** The samplers as the page calls them. */
import type { SamplerName } from '../diffusion/scheduler.ts';

interface SamplerWords {
  readonly label: string;
  /** What AUTOMATIC1111 calls it, in the text of a PNG. */
  readonly pngName: string;
}

export const samplers: Readonly<Record<SamplerName, SamplerWords>> = {
  'dpm-solver++-2m': { label: 'DPM-Solver++ 2M', pngName: 'DPM++ 2M' },
  ddim: { label: 'DDIM', pngName: 'DDIM' },
};

export const samplerNames = Object.keys(samplers) as SamplerName[];
