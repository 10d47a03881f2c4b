/** The concepts that a prompt calls by name: which one is meant, and what is wrong where none can be. */
import { AppError, toPlainError } from '../lib/errors.ts';
import { calledName, isSameName, namesOf } from '../lib/prompt.ts';
import { isUsable } from './openBase.ts';
import type { ConceptRecord, StudioState } from './state.ts';

/** What names are looked up in. */
export type Callable = Pick<StudioState, 'concepts' | 'base'>;

/** The concept of that name that the open base can use. Throws `prompt.name` where there is none, or more than one. */
export function callConcept(state: Callable, name: string): ConceptRecord {
  const called = state.concepts.filter((each) => isSameName(each.name, name));
  const [concept, another] = called.filter((each) => isUsable(state, each));
  if (concept !== undefined && another === undefined) return concept;
  const reason =
    another !== undefined ? several(name) : (elsewhere(state, called[0]) ?? unknown(state, name));
  throw new AppError('prompt.name', reason);
}

/** Null where `callConcept` throws. */
export function calledConcept(state: Callable, name: string): ConceptRecord | null {
  try {
    return callConcept(state, name);
  } catch {
    return null;
  }
}

/** Concepts that can be called: the open base can use them, and no other has the name. */
export function callableConcepts(state: Callable): readonly ConceptRecord[] {
  return state.concepts.filter(({ id, name }) => calledConcept(state, name)?.id === id);
}

/** What is wrong with the names of a prompt, each said once. */
export function nameProblems(state: Callable, prompt: string): readonly string[] {
  const problems = namesOf(prompt).flatMap((name) => {
    try {
      callConcept(state, name);
      return [];
    } catch (error) {
      return [toPlainError(error).message];
    }
  });
  return [...new Set(problems)];
}

const several = (name: string) =>
  `More than one concept is called “${calledName(name)}”. Rename one of them, or choose one and write {} for it.`;

function elsewhere({ base }: Callable, concept: ConceptRecord | undefined): string | null {
  if (concept === undefined) return null;
  const { name, baseId } = concept;
  return baseId === base?.id
    ? `“${name}” was learned on another version of ${baseId}, so the open one cannot draw it. Open that, or teach it here.`
    : `“${name}” was learned on ${baseId}, so ${base?.title ?? 'the open model'} cannot draw it. Open that model, or take another concept.`;
}

function unknown(state: Callable, name: string): string {
  const there = state.concepts.length > 0 ? 'Type { to see which there are.' : 'The library is empty.';
  return `No concept is called “${calledName(name)}”. ${there}`;
}
