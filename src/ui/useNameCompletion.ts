/** The state of completing a concept's name in the prompt: which concepts are offered, which is pointed at, and what keys do. */
import { useState, type KeyboardEvent, type RefObject } from 'react';
import { markOf } from '../lib/prompt.ts';
import { fittingConcepts, unfinishedName, type UnfinishedName } from '../store/completion.ts';
import type { ConceptRecord } from '../store/state.ts';
import { useStudio } from './useStudio.ts';

/** More are found by typing on. */
const MOST_OFFERED = 6;

export interface NameCompletion {
  readonly offered: readonly ConceptRecord[];
  /** How many more there are. */
  readonly more: number;
  readonly pointedAt: number;
  /** Index of the name's `{`; null while nothing is offered. */
  readonly start: number | null;
  take(concept: ConceptRecord): void;
  /** To be called when the text was edited. */
  edited(area: HTMLTextAreaElement): void;
  close(): void;
  /** Whether the key was meant for the list. */
  takesKey(event: KeyboardEvent): boolean;
}

export function useNameCompletion(
  area: RefObject<HTMLTextAreaElement | null>,
  prompt: string,
): NameCompletion {
  const [caret, setCaret] = useState<number | null>(null);
  const [pointedAt, setPointedAt] = useState(0);
  const library = useStudio(({ concepts, base }) => ({ concepts, base }));
  const unfinished = caret === null ? null : unfinishedName(prompt, caret);
  const fitting = unfinished === null ? [] : fittingConcepts(library, unfinished.typed);
  const offered = fitting.slice(0, MOST_OFFERED);
  const close = () => setCaret(null);
  const take = ({ name }: ConceptRecord) => {
    if (unfinished !== null && area.current !== null) put(area.current, unfinished, markOf(name));
  };
  const moves: Moves = {
    ArrowDown: () => setPointedAt((pointedAt + 1) % offered.length),
    ArrowUp: () => setPointedAt((pointedAt + offered.length - 1) % offered.length),
    Enter: () => take(offered[pointedAt]!),
    Escape: close,
  };
  const more = fitting.length - offered.length;
  const start = offered.length > 0 ? unfinished!.start : null;
  const edited = ({ selectionEnd }: HTMLTextAreaElement) => {
    setCaret(selectionEnd);
    setPointedAt(0);
  };
  const takesKey = (event: KeyboardEvent) => start !== null && moved(event, moves);
  return { offered, more, pointedAt, start, take, edited, close, takesKey };
}

type Moves = Readonly<Record<string, () => void>>;

function moved(event: KeyboardEvent, moves: Moves): boolean {
  const move = moves[event.key];
  if (move === undefined || event.nativeEvent.isComposing) return false;
  event.preventDefault();
  move();
  return true;
}

/** As if the mark had been typed, so that everyone hears of it. */
function put(area: HTMLTextAreaElement, { start, end }: UnfinishedName, mark: string): void {
  area.focus();
  area.setRangeText(mark, start, end, 'end');
  area.dispatchEvent(new Event('input', { bubbles: true }));
}
