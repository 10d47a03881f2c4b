/** What can be taught: a thing, or the way pictures are drawn. */
export const conceptKinds = ['object', 'style'] as const;

export type ConceptKind = (typeof conceptKinds)[number];
