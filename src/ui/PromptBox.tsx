/** The prompt: an ordinary text area over a layer that draws its text (PromptLayer.tsx), with concepts' names completed behind `{`. */
import { useEffect, useId, useMemo, useRef, type KeyboardEvent } from 'react';
import { literalMarks, withoutWeights } from '../lib/promptWeights.ts';
import { callableConcepts, nameProblems } from '../store/calledConcepts.ts';
import { chosenConcepts, vectorsAt } from '../store/pictureConcepts.ts';
import { describeLength, unknownWords } from '../store/prompt.ts';
import { NameChoices, optionId } from './NameChoices.tsx';
import { PromptLayer } from './PromptLayer.tsx';
import { FieldProblem } from './TextField.tsx';
import { useNameCompletion, type NameCompletion } from './useNameCompletion.ts';
import { useActions, useStudio } from './useStudio.ts';

const CHECK_AFTER_MS = 250;

function useUnknownWords(prompt: string): string[] {
  const words = useStudio((state) => state.base?.vocabulary.words ?? null);
  const known = useMemo(() => (words === null ? null : new Set(words)), [words]);
  return useMemo(() => (known === null ? [] : unknownWords(withoutWeights(prompt), known)), [prompt, known]);
}

interface PromptNoteProps {
  readonly id: string;
  readonly prompt: string;
  readonly unknown: readonly string[];
}

const quoted = (words: readonly string[]) => words.map((word) => `“${word}”`).join(', ');

function PromptNote({ id, prompt, unknown }: PromptNoteProps) {
  const literal = literalMarks(prompt);
  const tooLong = useStudio(({ promptCheck }) => promptCheck && describeLength(promptCheck));
  const others = useStudio((state) =>
    callableConcepts(state).some((each) => each.id !== state.form.conceptId),
  );
  const problems = useStudio((state) => nameProblems(state, prompt));
  const notes = [
    tooLong,
    unknown.length > 0 && `The model was never taught ${quoted(unknown)}; it can only guess.`,
    literal.length > 0 &&
      `${quoted(literal)} ${literal.length === 1 ? 'is' : 'are'} read literally, as words. Weights count: (red:1.3), ((red)), [red].`,
  ].filter((note) => note);
  const hint = others && problems.length === 0 ? 'Type { to put another of your concepts in.' : '';
  return (
    <div id={id}>
      {problems.length > 0 && <p className="field-problem">{problems.join(' ')}</p>}
      <p className="field-hint">{notes.join(' ') || hint}</p>
    </div>
  );
}

function useChecked(prompt: string): void {
  const actions = useActions();
  const ready = useStudio((state) => state.status === 'ready');
  const vectors = useStudio((state) => vectorsAt(state, prompt, chosenConcepts(state)).join());
  useEffect(() => {
    const timer = setTimeout(() => void actions().checkPrompt(), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [prompt, vectors, ready, actions]);
}

const isEnter = ({ key, nativeEvent }: KeyboardEvent) => key === 'Enter' && !nativeEvent.isComposing;

/** What it shows while a name is offered is told to screen readers, as of a combobox. */
function listed(list: string, { start, pointedAt }: NameCompletion) {
  const active = start === null ? undefined : optionId(list, pointedAt);
  return {
    'aria-autocomplete': 'list',
    'aria-haspopup': 'listbox',
    'aria-controls': active && list,
    'aria-activedescendant': active,
  } as const;
}

function Prompt({ id, unknown }: { id: string; unknown: readonly string[] }) {
  const actions = useActions();
  const prompt = useStudio((state) => state.form.prompt);
  const problem = useStudio((state) => state.fieldProblems.prompt);
  const area = useRef<HTMLTextAreaElement>(null);
  const anchor = useRef<HTMLSpanElement>(null);
  const completion = useNameCompletion(area, prompt);
  const list = `${id}-names`;
  const onKeyDown = (event: KeyboardEvent) => {
    if (completion.takesKey(event) || !isEnter(event)) return;
    event.preventDefault();
    void actions().generate();
  };
  return (
    <div className="prompt">
      <PromptLayer prompt={prompt} unknown={unknown} anchorAt={completion.start} anchor={anchor} />
      <textarea
        ref={area}
        id={id}
        rows={1}
        spellCheck={false}
        value={prompt}
        placeholder="A photo of {} on a beach"
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-note ${id}-problem`}
        {...listed(list, completion)}
        onChange={(event) => {
          actions().edit({ prompt: event.target.value.replaceAll('\n', ' ') });
          completion.edited(event.target);
        }}
        onBlur={completion.close}
        onKeyDown={onKeyDown}
      />
      <NameChoices id={list} completion={completion} anchor={anchor} />
    </div>
  );
}

export function PromptBox() {
  const id = useId();
  const prompt = useStudio((state) => state.form.prompt);
  const problem = useStudio((state) => state.fieldProblems.prompt);
  const unknown = useUnknownWords(prompt);
  useChecked(prompt);
  return (
    <div className="field">
      <label htmlFor={id}>Prompt</label>
      <Prompt id={id} unknown={unknown} />
      <PromptNote id={`${id}-note`} prompt={prompt} unknown={unknown} />
      <FieldProblem id={`${id}-problem`} problem={problem} />
    </div>
  );
}
