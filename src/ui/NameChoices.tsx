/** The concepts that fit a name which is being written in the prompt, beneath it. */
import { useLayoutEffect, useRef, type RefObject } from 'react';
import { BlobImage } from './BlobImage.tsx';
import type { NameCompletion } from './useNameCompletion.ts';

interface NameChoicesProps {
  readonly id: string;
  readonly completion: NameCompletion;
  /** Where the name begins. */
  readonly anchor: RefObject<HTMLElement | null>;
}

export const optionId = (id: string, index: number) => `${id}-${index}`;

/** Puts the list beneath the name. */
function usePlace(list: RefObject<HTMLElement | null>, { anchor, completion }: NameChoicesProps): void {
  const { start } = completion;
  useLayoutEffect(() => {
    if (start === null || anchor.current === null) return;
    const { offsetLeft, offsetTop, offsetHeight } = anchor.current;
    list.current?.style.setProperty('--left', `${offsetLeft}px`);
    list.current?.style.setProperty('--top', `${offsetTop + offsetHeight}px`);
  }, [list, anchor, start]);
}

const counted = (count: number) => (count === 1 ? 'One concept fits' : `${count} concepts fit`);

export function NameChoices(props: NameChoicesProps) {
  const { id, completion } = props;
  const { offered, more, pointedAt, start, take } = completion;
  const list = useRef<HTMLDivElement>(null);
  usePlace(list, props);
  return (
    <>
      {start !== null && (
        <div className="menu name-choices" ref={list}>
          <ul id={id} role="listbox" aria-label="Concepts to put in">
            {offered.map((concept, index) => (
              <li
                key={concept.id}
                id={optionId(id, index)}
                role="option"
                className="menu-item name-choice"
                aria-selected={index === pointedAt}
                // The text keeps the focus.
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => take(concept)}
              >
                {concept.thumbnail ? (
                  <BlobImage blob={concept.thumbnail} alt="" />
                ) : (
                  <span className="concept-blank" />
                )}
                <bdi className="name-choice-name">{concept.name}</bdi>
                <span className="quiet">{concept.category}</span>
              </li>
            ))}
          </ul>
          {more > 0 && <p className="quiet name-choices-more">{more} more: type on</p>}
        </div>
      )}
      <span className="sr-only" aria-live="polite">
        {start !== null && `${counted(offered.length + more)}. Arrow keys choose one, Enter puts it in.`}
      </span>
    </>
  );
}
