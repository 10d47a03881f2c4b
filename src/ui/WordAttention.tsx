/** Where the words look: the prompt as a row of words; the chosen one lights up what the picture owes to it. */
import { useEffect, useRef } from 'react';
import { attentionWords } from '../store/words.ts';
import { marksOf } from '../lib/prompt.ts';
import type { ResultRecord } from '../store/state.ts';
import type { WordAttention as WordMap } from '../worker/api.ts';
import { LabelledSlider } from './LabelledSlider.tsx';
import { StepProgress } from './StepProgress.tsx';
import { useActions, useStudio } from './useStudio.ts';

/** What is laid over the picture: a word by its index, and how dark the rest gets, in percent. */
export interface Veil {
  readonly word: number | null;
  readonly strength: number;
}

/** The darkness is in the ratio to where the word looks most. */
function paint(canvas: HTMLCanvasElement, { map }: WordMap, side: number): void {
  const [least, most] = [Math.min(...map), Math.max(...map)];
  const pixels = new ImageData(side, side);
  map.forEach((value, i) => (pixels.data[4 * i + 3] = 255 * (1 - (value - least) / (most - least || 1))));
  canvas.getContext('2d')!.putImageData(pixels, 0, 0);
}

/** Lies over the picture while a word is chosen. */
export function AttentionVeil({ result, veil }: { result: ResultRecord; veil: Veil }) {
  const attention = useStudio((state) => state.attention[result.id]);
  const canvas = useRef<HTMLCanvasElement>(null);
  const word = veil.word === null ? undefined : attention?.words[veil.word];
  const side = attention?.side ?? 1;
  useEffect(() => {
    if (canvas.current && word) paint(canvas.current, word, side);
  }, [word, side]);
  return word ? (
    <canvas
      ref={canvas}
      className="attention-veil"
      width={side}
      height={side}
      style={{ opacity: veil.strength / 100 }}
      aria-hidden="true"
    />
  ) : null;
}

interface WordAttentionProps {
  readonly result: ResultRecord;
  readonly veil: Veil;
  readonly onVeil: (veil: Veil) => void;
}

/** A concept by its name. */
function shownWord(text: string, { conceptName }: ResultRecord): string {
  const [name] = marksOf(text);
  return name === undefined ? text : name || conceptName;
}

function Words({ result, veil, onVeil }: WordAttentionProps) {
  const attention = useStudio((state) => state.attention[result.id]);
  if (!attention) return null;
  const nameOf = (text: string) => shownWord(text, result);
  const chosen = veil.word === null ? undefined : attention.words[veil.word];
  return (
    <>
      <div className="attention-words" role="group" aria-label="Words of the prompt">
        {attention.words.map(({ text }, index) => (
          <button
            key={index}
            type="button"
            className="attention-word"
            data-concept={marksOf(text).length > 0}
            aria-pressed={index === veil.word}
            onClick={() => onVeil({ ...veil, word: index === veil.word ? null : index })}
          >
            <bdi>{nameOf(text)}</bdi>
          </button>
        ))}
      </div>
      <p className="quiet" aria-live="polite">
        {chosen ? attentionWords(nameOf(chosen.text), chosen.map, attention.side) : 'Choose a word.'}
      </p>
      {chosen && (
        <LabelledSlider
          className="attention-strength"
          label="Darken the rest"
          step={5}
          value={veil.strength}
          onValue={(strength) => onVeil({ ...veil, strength })}
          shown={`${veil.strength} %`}
          spoken={(value) => `${value} %`}
          words={(value) => (value === 0 ? 'The picture as it is' : 'Light where the word looks')}
        />
      )}
    </>
  );
}

function Asking({ resultId }: { resultId: string }) {
  const actions = useActions();
  const looking = useStudio((state) => state.looking);
  if (looking === null)
    return (
      <button type="button" className="button" onClick={() => void actions().lookAtWords(resultId)}>
        Show
      </button>
    );
  return <StepProgress state={looking} onCancel={() => actions().stopLooking()} />;
}

/** The picture is drawn once more for it, so it is asked for. */
export function WordAttention(props: WordAttentionProps) {
  const { result } = props;
  const isKnown = useStudio((state) => result.id in state.attention);
  return (
    <section className="attention" aria-label="Where the words look">
      <h3 className="attention-title">Where the words look</h3>
      {isKnown ? (
        <Words {...props} />
      ) : (
        <>
          <p className="quiet">Which part of the picture each word made. The picture is drawn once more.</p>
          <Asking resultId={result.id} />
        </>
      )}
    </section>
  );
}
