/** Which concepts the open base can use: those that were learned on it. */
import type { ConceptRecord, StudioState } from './state.ts';

/** While no base is open nothing is known against a concept. */
export function isUsable({ base }: Pick<StudioState, 'base'>, { baseHash }: ConceptRecord): boolean {
  return base === null || base.hash === baseHash;
}

/** The chosen concepts of the form without those that the base cannot use. */
export function usableChoice(
  state: Pick<StudioState, 'base' | 'concepts' | 'form'>,
): Pick<StudioState['form'], 'conceptId' | 'appearanceId'> {
  const usable = (id: string | null) => {
    const concept = state.concepts.find((each) => each.id === id);
    return concept && isUsable(state, concept) ? id : null;
  };
  return { conceptId: usable(state.form.conceptId), appearanceId: usable(state.form.appearanceId) };
}
