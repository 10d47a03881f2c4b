/** The concepts that a picture shows: none, one, or two that are mixed. */
import type { ConceptRecord, StudioState } from './state.ts';

export interface PictureConcepts {
  readonly concept: ConceptRecord | null;
  /** Gives the appearance when two concepts are mixed; `concept` then gives the geometry. */
  readonly appearance: ConceptRecord | null;
}

/** The concepts that the form chooses. An appearance without another concept's geometry is none. */
export function chosenConcepts({ concepts, form }: StudioState): PictureConcepts {
  const find = (id: string | null) => concepts.find((each) => each.id === id) ?? null;
  const concept = find(form.conceptId);
  const appearance = find(form.appearanceId);
  return { concept, appearance: concept === null || appearance === concept ? null : appearance };
}

/** Tokens that the prompt's mark takes: those of the concept with the most word vectors. */
export function vectorsOf({ concept, appearance }: PictureConcepts): number {
  return Math.max(1, concept?.word?.vectors ?? 1, appearance?.word?.vectors ?? 1);
}

/**
 * Most hidden units that a picture of the concepts can keep: those of the larger mapper, of which a smaller one is then whole.
 * Null where there is nothing to truncate or that is not known yet.
 */
export function hiddenUnits({ concept, appearance }: PictureConcepts): number | null {
  const words = [concept?.word, appearance?.word].filter((word) => word?.plain === false);
  return words.length === 0 ? null : Math.max(...words.map((word) => word!.hidden));
}

/** Whether all of the concepts are textual inversions, which are alike at every truncation. */
export function isPlain({ concept, appearance }: PictureConcepts): boolean {
  const concepts = [concept, appearance].filter((each) => each !== null);
  return concepts.length > 0 && concepts.every((each) => each.word?.plain);
}
