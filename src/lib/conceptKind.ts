/** What can be taught: a thing, or the way pictures are drawn. */
export const CONCEPT_KINDS = ['object', 'style'] as const;

export type ConceptKind = (typeof CONCEPT_KINDS)[number];
