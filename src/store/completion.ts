/** Completing a concept's name in the prompt, behind `{`. */
import { calledName } from '../lib/prompt.ts';
import { callableConcepts, type Callable } from './calledConcepts.ts';
import type { ConceptRecord } from './state.ts';

/** A name that is being written. */
export interface UnfinishedName {
  /** Index of its `{`, and the one behind what a whole name takes the place of. */
  readonly start: number;
  readonly end: number;
  readonly typed: string;
}

/** The name around the caret; null where none is. */
export function unfinishedName(prompt: string, caret: number): UnfinishedName | null {
  const start = prompt.lastIndexOf('{', caret - 1);
  const typed = prompt.slice(start + 1, caret);
  if (start < 0 || caret === 0 || typed.includes('}')) return null;
  const rest = /^[^{}]*\}/.exec(prompt.slice(caret))?.[0] ?? '';
  return { start, end: caret + rest.length, typed };
}

/** The concepts whose name the typed letters begin, then those that have them elsewhere. */
export function fittingConcepts(state: Callable, typed: string): readonly ConceptRecord[] {
  const letters = calledName(typed).toLowerCase();
  const place = ({ name }: ConceptRecord) => calledName(name).toLowerCase().indexOf(letters);
  const fitting = callableConcepts(state).filter((each) => calledName(each.name) !== '' && place(each) >= 0);
  return fitting.toSorted(
    (a, b) => Math.sign(place(a)) - Math.sign(place(b)) || a.name.localeCompare(b.name),
  );
}
