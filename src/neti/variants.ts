/**
 * The methods that the paper compares (arXiv 2305.15391, sections 3 and 5), as configurations of one mapper:
 * Textual Inversion (Gal et al. 2022) learns one vector, XTI (Voynov et al. 2023) one a layer, NeTI a network, which can be
 * denied time, space, or one of its parts.
 */
import { MAPPER_DEFAULTS, type MapperConfig } from './mapperConfig.ts';

type Fixed = 'layers' | 'contextWidth' | 'normScale';
type Choices = Omit<MapperConfig, Fixed>;

const VECTORS = { network: false, time: false, textualBypass: false, nestedDropout: 0 } as const;

export const variants = {
  'textual-inversion': { ...VECTORS, space: false },
  xti: VECTORS,
  neti: {},
  'no-bypass': { textualBypass: false },
  'no-dropout': { nestedDropout: 0 },
  'no-encoding': { positionalEncoding: false },
  'time-only': { space: false },
  'space-only': { time: false },
} as const satisfies Record<string, Partial<Choices>>;

export type VariantName = keyof typeof variants;

export const variantNames = Object.keys(variants) as VariantName[];

/**
 * @param embedding of the super-category's token, [D]; its norm becomes that of a network's output.
 * @param nestedDropout its probability, for variants that have any
 */
export function variantConfig(
  name: VariantName,
  layers: number,
  embedding: Float32Array,
  nestedDropout: number = MAPPER_DEFAULTS.nestedDropout,
): MapperConfig {
  const choices: Choices = { ...MAPPER_DEFAULTS, nestedDropout, ...variants[name] };
  const normScale = choices.network ? Math.hypot(...embedding) : null;
  return { ...choices, layers, contextWidth: embedding.length, normScale };
}
