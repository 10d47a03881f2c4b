/** Which concepts the library shows, and in what order. */
import type { ConceptRecord } from './state.ts';

export const LIBRARY_ORDERS = {
  newest: 'Newest first',
  oldest: 'Oldest first',
  name: 'By name',
  steps: 'Most trained first',
} as const;

export type LibraryOrder = keyof typeof LIBRARY_ORDERS;

export interface LibraryView {
  /** Words that a concept's name, category, base or tags must all hold. */
  readonly query: string;
  readonly order: LibraryOrder;
}

type Compare = (a: ConceptRecord, b: ConceptRecord) => number;

const COMPARE: Readonly<Record<LibraryOrder, Compare>> = {
  newest: (a, b) => b.created.localeCompare(a.created),
  oldest: (a, b) => a.created.localeCompare(b.created),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
  steps: (a, b) => b.step - a.step,
};

/** The last added first where nothing else tells two apart. */
export function viewed(
  concepts: readonly ConceptRecord[],
  { query, order }: LibraryView,
): readonly ConceptRecord[] {
  const words = folded(query).split(/\s+/);
  const holds = ({ name, category, baseId, tags }: ConceptRecord) => {
    const text = folded([name, category, baseId, ...tags].join(' '));
    return words.every((word) => text.includes(word));
  };
  return concepts.toReversed().filter(holds).toSorted(COMPARE[order]);
}

/** Without case and accents. */
function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}
