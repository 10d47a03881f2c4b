/** A picture as it is beside the same with only a part of its concept at work. */
import type { ReactNode } from 'react';
import { focusWords } from '../store/recipe.ts';
import type { Focus, ResultRecord } from '../store/state.ts';
import { BlobImage } from './BlobImage.tsx';
import { useActions, useStudio } from './useStudio.ts';

export type Outside = Focus['outside'];

interface FocusPicturesProps {
  readonly reference: ResultRecord | null;
  readonly focus: Focus | null;
  readonly category: string;
  readonly outside: Outside;
  readonly onOutside: (outside: Outside) => void;
}

function Picture({
  result,
  alt,
  caption,
  busy = false,
}: {
  result: ResultRecord;
  alt: string;
  caption: ReactNode;
  busy?: boolean;
}) {
  return (
    <figure className="focus-picture" data-busy={busy}>
      <BlobImage blob={result.picture} alt={alt} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

function OutsideChoice({
  category,
  outside,
  onOutside,
}: Pick<FocusPicturesProps, 'category' | 'outside' | 'onOutside'>) {
  const choices = [
    { value: 'frozen', label: 'frozen' },
    { value: 'category', label: `“${category}”` },
  ] as const;
  return (
    <fieldset className="field focus-outside">
      <legend>Outside the brush the concept is</legend>
      <div className="segments">
        {choices.map(({ value, label }) => (
          <label key={value}>
            <input
              type="radio"
              name="outside"
              checked={outside === value}
              onChange={() => onOutside(value)}
            />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** The picture in focus, as well as it can be had by now. */
function Focused({ focus, category }: { focus: Focus; category: string }) {
  const focused = useStudio((state) => state.focused);
  const words = focusWords(focus, category);
  if (focused === null) return <div className="focus-empty">Drawing…</div>;
  const isNew = focused.quality === 'full' && focused.result.focus === focus;
  return (
    <Picture
      result={focused.result}
      alt={`The same with ${words}`}
      caption={isNew ? words : 'Drawing…'}
      busy={!isNew}
    />
  );
}

function Keep() {
  const actions = useActions();
  const ready = useStudio((state) => state.focused?.quality === 'full');
  return (
    <button type="button" className="button" disabled={!ready} onClick={() => void actions().keepFocused()}>
      Keep this picture
    </button>
  );
}

export function FocusPictures({ reference, focus, ...choice }: FocusPicturesProps) {
  if (reference === null)
    return <p className="quiet">Generate a picture of it first; then the map can draw it again here.</p>;
  return (
    <section className="focus" aria-label="What a part of it carries">
      <div className="focus-pair">
        <Picture result={reference} alt="The picture as it is" caption="All of the concept" />
        {focus ? (
          <Focused focus={focus} category={choice.category} />
        ) : (
          <div className="focus-empty">
            Brush a part of the map: the picture is drawn again with the concept at work there alone.
          </div>
        )}
      </div>
      <OutsideChoice {...choice} />
      {focus && <Keep />}
    </section>
  );
}
