/** The concepts that a picture shows: none, one, two that are mixed, and those that its prompt calls by name. */
import { marksOf, namesOf } from '../lib/prompt.ts';
import { calledConcept, type Callable } from './calledConcepts.ts';
import { isUsable } from './openBase.ts';
import type { ConceptRecord, ResultRecord, StudioState } from './state.ts';

export interface PictureConcepts {
  /** At `{}`. */
  readonly concept: ConceptRecord | null;
  /** Gives the appearance when two concepts are mixed; `concept` then gives the geometry. */
  readonly appearance: ConceptRecord | null;
  /** Those that the prompt calls by name, one a mark, in its order. */
  readonly named: readonly ConceptRecord[];
}

/** All of them, each once. */
export function allOf({ concept, appearance, named }: PictureConcepts): readonly ConceptRecord[] {
  return [...new Set([concept, ...named, appearance])].filter((each) => each !== null);
}

/** The concept as it was at a preview of its training; as it is where there is no such preview, or none is asked for. */
export function conceptAt(concept: ConceptRecord, step: number | null): ConceptRecord {
  const preview = concept.previews.find((each) => each.step === step);
  return preview === undefined ? concept : { ...concept, step: preview.step, file: preview.file };
}

/** The concepts that the form chooses or calls. An appearance without another concept's geometry is none, nor is what cannot be called. */
export function chosenConcepts({
  concepts,
  form,
  base,
}: Pick<StudioState, 'concepts' | 'form' | 'base'>): PictureConcepts {
  const find = (id: string | null) => concepts.find((each) => each.id === id) ?? null;
  const concept = find(form.conceptId);
  const appearance = find(form.appearanceId);
  const named = namesOf(form.prompt).map((name) => calledConcept({ concepts, base }, name));
  return {
    concept,
    appearance: concept === null || appearance === concept ? null : appearance,
    named: named.filter((each) => each !== null),
  };
}

/** The concepts of a result, with which it can be drawn again; null where one has left the library or the open base is another. */
export function conceptsOf(
  state: StudioState,
  { conceptId, trainedStep, mixing, baseId, named: called }: ResultRecord,
): PictureConcepts | null {
  const find = (id: string | undefined) =>
    state.concepts.find((each) => each.id === id && isUsable(state, each)) ?? null;
  const named = called.map((each) => find(each.conceptId)).filter((each) => each !== null);
  if (named.length < called.length) return null;
  if (conceptId === null) {
    const isHere = named.length > 0 || state.base === null || state.base.id === baseId;
    return isHere ? { concept: null, appearance: null, named } : null;
  }
  const [concept, appearance] = [find(conceptId), find(mixing?.conceptId)];
  if (concept === null || (mixing !== null && appearance === null)) return null;
  return { concept: conceptAt(concept, trainedStep), appearance, named };
}

/** Tokens that each mark of a prompt takes: at `{}` those of the concept with the most word vectors. */
export function vectorsAt(
  state: Callable,
  prompt: string,
  { concept, appearance }: Pick<PictureConcepts, 'concept' | 'appearance'>,
): readonly number[] {
  return marksOf(prompt).map((name) => {
    const concepts = name === '' ? [concept, appearance] : [calledConcept(state, name)];
    return Math.max(1, ...concepts.map((each) => each?.word?.vectors ?? 1));
  });
}

/**
 * Most hidden units that a picture of the concepts can keep: those of the largest mapper, of which a smaller one is then whole.
 * Null where there is nothing to truncate or that is not known yet.
 */
export function hiddenUnits(concepts: PictureConcepts): number | null {
  const words = allOf(concepts).flatMap(({ word }) => (word?.plain === false ? [word] : []));
  return words.length === 0 ? null : Math.max(...words.map(({ hidden }) => hidden));
}

/** Whether all of the concepts are textual inversions, which are alike at every truncation. */
export function isPlain(concepts: PictureConcepts): boolean {
  const all = allOf(concepts);
  return all.length > 0 && all.every(({ word }) => word?.plain);
}
