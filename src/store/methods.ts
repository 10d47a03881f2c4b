/** The method's variants as the page calls them. */
import type { VariantName } from '../neti/variants.ts';

export const methods = {
  neti: 'NeTI',
  'textual-inversion': 'Textual Inversion: one vector',
  xti: 'XTI: one vector a layer',
  'no-bypass': 'NeTI without textual bypass',
  'no-dropout': 'NeTI without nested dropout',
  'no-encoding': 'NeTI without positional encoding',
  'time-only': 'NeTI over time alone',
  'space-only': 'NeTI over layers alone',
} as const satisfies Record<VariantName, string>;
