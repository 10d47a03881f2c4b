/**
 * What the prompt's text area shows: its text, drawn beneath it, where marks are chips with the concepts' names and words the model was not
 * taught are underlined. While it is edited a chip is as wide as the mark, so that the caret stands where the letters are; at rest it shows the
 * name in full.
 */
import type { Ref } from 'react';
import { marksOf } from '../lib/prompt.ts';
import { calledConcept } from '../store/calledConcepts.ts';
import { splitPrompt, type PromptPart } from '../store/prompt.ts';
import { useStudio } from './useStudio.ts';

interface ChipProps {
  readonly text: string;
  readonly anchor: Ref<HTMLSpanElement> | undefined;
}

function Chip({ text, anchor }: ChipProps) {
  const [called] = marksOf(text);
  const chosen = useStudio((state) => state.concepts.find((each) => each.id === state.form.conceptId)?.name);
  const name = useStudio((state) =>
    called ? calledConcept(state, called)?.name : (chosen ?? 'your concept'),
  );
  return (
    <span className="prompt-chip" data-bare={called === ''} data-unknown={name === undefined} ref={anchor}>
      <span className="prompt-raw">{text}</span>
      <bdi className="prompt-name">{name ?? called}</bdi>
    </span>
  );
}

interface PromptLayerProps {
  readonly prompt: string;
  readonly unknown: readonly string[];
  /** The part that begins at index `anchorAt` is given to `anchor`. */
  readonly anchorAt: number | null;
  readonly anchor: Ref<HTMLSpanElement>;
}

export function PromptLayer({ prompt, unknown, anchorAt, anchor }: PromptLayerProps) {
  return (
    <div className="prompt-layer" aria-hidden="true">
      {placed(splitPrompt(prompt, unknown)).map(({ kind, text, start }) => {
        const own = start === anchorAt ? anchor : undefined;
        return kind === 'concept' ? (
          <Chip key={start} text={text} anchor={own} />
        ) : (
          <span className={`prompt-${kind}`} key={start} ref={own}>
            {text}
          </span>
        );
      })}
    </div>
  );
}

function placed(parts: readonly PromptPart[]): (PromptPart & { readonly start: number })[] {
  let start = 0;
  return parts.map((part) => {
    const own = { ...part, start };
    start += part.text.length;
    return own;
  });
}
