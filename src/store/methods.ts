/** The method's variants, and what it may start from, as the page calls them. */
import type { TrainingStart } from '../lib/trainingStart.ts';
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

export const starts = {
  'starting-mapper': 'Meta-trained on many concepts',
  official: 'Official: random numbers',
} as const satisfies Record<TrainingStart, string>;

export const startHints = {
  'starting-mapper': 'The first steps go further; after many it comes to the same.',
  official: 'As the paper’s authors begin. The first pictures take longer.',
} as const satisfies Record<TrainingStart, string>;
