/** The concepts that a picture shows: none, one, or two that are mixed. */
import { isUsable } from './openBase.ts';
import type { ConceptRecord, ResultRecord, StudioState } from './state.ts';

export interface PictureConcepts {
  readonly concept: ConceptRecord | null;
  /** Gives the appearance when two concepts are mixed; `concept` then gives the geometry. */
  readonly appearance: ConceptRecord | null;
}

/** The concept as it was at a preview of its training; as it is where there is no such preview, or none is asked for. */
export function conceptAt(concept: ConceptRecord, step: number | null): ConceptRecord {
  const preview = concept.previews.find((each) => each.step === step);
  return preview === undefined ? concept : { ...concept, step: preview.step, file: preview.file };
}

/** The concepts that the form chooses. An appearance without another concept's geometry is none. */
export function chosenConcepts({ concepts, form }: StudioState): PictureConcepts {
  const find = (id: string | null) => concepts.find((each) => each.id === id) ?? null;
  const concept = find(form.conceptId);
  const appearance = find(form.appearanceId);
  return { concept, appearance: concept === null || appearance === concept ? null : appearance };
}

/** The concepts of a result, with which it can be drawn again; null where one has left the library or the open base is another. */
export function conceptsOf(
  state: StudioState,
  { conceptId, trainedStep, mixing, baseId }: ResultRecord,
): PictureConcepts | null {
  const find = (id: string | undefined) =>
    state.concepts.find((each) => each.id === id && isUsable(state, each)) ?? null;
  if (conceptId === null)
    return state.base === null || state.base.id === baseId ? { concept: null, appearance: null } : null;
  const [concept, appearance] = [find(conceptId), find(mixing?.conceptId)];
  if (concept === null || (mixing !== null && appearance === null)) return null;
  return { concept: conceptAt(concept, trainedStep), appearance };
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
