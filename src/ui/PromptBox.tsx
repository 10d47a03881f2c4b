/**
 * The prompt: an ordinary text area whose text is drawn by a layer beneath it, where `{}` shows as a chip with the
 * concept's name and words the model was not taught are underlined. While it is edited the chip is as wide as `{}`,
 * so that the caret stands where the letters are; at rest it shows the name in full.
 */
import { useEffect, useId, useMemo } from 'react';
import { literalMarks, withoutWeights } from '../lib/promptWeights.ts';
import { chosenConcepts, vectorsOf } from '../store/pictureConcepts.ts';
import { describeLength, splitPrompt, unknownWords } from '../store/prompt.ts';
import { FieldProblem } from './TextField.tsx';
import { useActions, useStudio } from './useStudio.ts';

const CHECK_AFTER_MS = 250;

function Layer({ prompt, unknown, name }: { prompt: string; unknown: readonly string[]; name: string }) {
  return (
    <div className="prompt-layer" aria-hidden="true">
      {splitPrompt(prompt, unknown).map(({ kind, text }, index) =>
        kind === 'concept' ? (
          <span className="prompt-chip" key={index} data-name={name}>
            <span className="prompt-raw">{text}</span>
            <bdi className="prompt-name">{name}</bdi>
          </span>
        ) : (
          <span className={`prompt-${kind}`} key={index}>
            {text}
          </span>
        ),
      )}
    </div>
  );
}

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
  return (
    <p className="field-hint" id={id}>
      {tooLong && `${tooLong} `}
      {unknown.length > 0 && `The model was never taught ${quoted(unknown)}; it can only guess. `}
      {literal.length > 0 &&
        `${quoted(literal)} ${literal.length === 1 ? 'is' : 'are'} read literally, as words. Weights count: (red:1.3), ((red)), [red].`}
    </p>
  );
}

function useChecked(prompt: string): void {
  const actions = useActions();
  const ready = useStudio((state) => state.status === 'ready');
  const vectors = useStudio((state) => vectorsOf(chosenConcepts(state)));
  useEffect(() => {
    const timer = setTimeout(() => void actions().checkPrompt(), CHECK_AFTER_MS);
    return () => clearTimeout(timer);
  }, [prompt, vectors, ready, actions]);
}

export function PromptBox() {
  const id = useId();
  const actions = useActions();
  const prompt = useStudio((state) => state.form.prompt);
  const problem = useStudio((state) => state.fieldProblems.prompt);
  const concept = useStudio((state) => state.concepts.find((each) => each.id === state.form.conceptId));
  const unknown = useUnknownWords(prompt);
  useChecked(prompt);
  return (
    <div className="field">
      <label htmlFor={id}>Prompt</label>
      <div className="prompt">
        <Layer prompt={prompt} unknown={unknown} name={concept?.name ?? 'your concept'} />
        <textarea
          id={id}
          rows={1}
          spellCheck={false}
          value={prompt}
          placeholder="A photo of {} on a beach"
          aria-invalid={problem !== undefined}
          aria-describedby={`${id}-note ${id}-problem`}
          onChange={(event) => actions().edit({ prompt: event.target.value.replaceAll('\n', ' ') })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
            event.preventDefault();
            void actions().generate();
          }}
        />
      </div>
      <PromptNote id={`${id}-note`} prompt={prompt} unknown={unknown} />
      <FieldProblem id={`${id}-problem`} problem={problem} />
    </div>
  );
}
