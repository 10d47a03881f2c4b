/** The strip of previews that grows while training: same prompts, same seeds; any of them can be taken. */
import { useEffect, useRef } from 'react';
import type { PreviewRecord } from '../store/state.ts';
import { useActions } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';

interface PreviewsProps {
  readonly conceptId: string;
  /** Step of what is in use now. */
  readonly step: number;
  readonly previews: readonly PreviewRecord[];
}

function Preview({
  conceptId,
  preview,
  taken,
}: {
  conceptId: string;
  preview: PreviewRecord;
  taken: boolean;
}) {
  const actions = useActions();
  return (
    <li className="preview" data-taken={taken}>
      <span className="preview-pictures" data-many={preview.pictures.length > 2}>
        {preview.pictures.map((picture, index) => (
          <BlobImage key={index} blob={picture} alt={`Preview ${index + 1} at step ${preview.step}`} />
        ))}
      </span>
      <button
        type="button"
        className="preview-take"
        aria-pressed={taken}
        title={taken ? 'This is the concept now' : 'Make this the concept'}
        onClick={() => void actions().takePreview(conceptId, preview.step)}
      >
        <span className="sr-only">Take step </span>
        {preview.step}
      </button>
    </li>
  );
}

export function Previews({ conceptId, step, previews }: PreviewsProps) {
  const strip = useRef<HTMLUListElement>(null);
  useEffect(() => {
    strip.current?.scrollTo({ left: strip.current.scrollWidth });
  }, [previews.length]);
  if (previews.length === 0) return null;
  return (
    <div className="previews">
      <h3>
        Previews<span className="quiet"> press a step to take it</span>
      </h3>
      <ul ref={strip} aria-label="Previews" tabIndex={0}>
        {previews.map((preview) => (
          <Preview key={preview.step} {...{ conceptId, preview }} taken={preview.step === step} />
        ))}
      </ul>
    </div>
  );
}
