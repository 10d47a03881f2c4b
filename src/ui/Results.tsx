/** What was made: the chosen picture large with the truncation slider, and every kept picture beside it. */
import { useState } from 'react';
import { newestFirst } from '../store/results.ts';
import { stacked, sweepAround } from '../store/sweep.ts';
import type { ResultRecord, StudioState } from '../store/state.ts';
import { taughtSamples } from '../store/taughtSamples.ts';
import { useBlobUrl, download } from './blobUrl.ts';
import { CrossFade } from './CrossFade.tsx';
import { CompareDialog, EnlargeDialog } from './Later.tsx';
import { Making } from './Making.tsx';
import { Icon, type IconName } from './icons.tsx';
import { pictureName, resultFileName } from './resultWords.ts';
import { Scores } from './Scores.tsx';
import { Sweeps } from './Sweeps.tsx';
import { TaughtSamples } from './TaughtSamples.tsx';
import { TruncationSlider } from './TruncationSlider.tsx';
import { useActions, useStudio } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';
import { AttentionVeil, WordAttention, type Veil } from './WordAttention.tsx';

type OpenDialog = 'enlarge' | 'compare';

function StageAction({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

interface StageProps {
  readonly result: ResultRecord;
  readonly open: (dialog: OpenDialog) => void;
}

function StageActions({ result, open }: StageProps) {
  const actions = useActions();
  const live = useStudio((state) => state.live);
  const single = useStudio((state) => state.results.length < 2);
  const picture = live?.resultId === result.id ? live.picture : result.picture;
  const keepable = live?.quality === 'full' && live.truncation !== result.truncation;
  return (
    <div className="stage-actions">
      {keepable && (
        <StageAction icon="keep" label="Keep this version" onClick={() => void actions().keepLive()} />
      )}
      {!single && <StageAction icon="compare" label="Compare" onClick={() => open('compare')} />}
      <StageAction icon="enlarge" label="Enlarge" onClick={() => open('enlarge')} />
      <StageAction icon="down" label="Download" onClick={() => download(picture, resultFileName(result))} />
      <StageAction
        icon="trash"
        label="Delete picture"
        onClick={() => void actions().deleteResults([result.id])}
      />
    </div>
  );
}

function Stage({ result, veil, open }: StageProps & { readonly veil: Veil }) {
  const live = useStudio((state) => state.live);
  const shown = live?.resultId === result.id ? live : { ...result, quality: 'full' as const };
  return (
    <div className="stage-picture" data-quality={shown.quality}>
      <CrossFade src={useBlobUrl(shown.picture)} alt={pictureName(result, shown.truncation)} />
      <AttentionVeil result={result} veil={veil} />
      <StageActions result={result} open={open} />
      {shown.quality !== 'full' && <span className="stage-draft">refining…</span>}
    </div>
  );
}

/** Of the kept picture; the slider's passing ones are not scored. */
function ShownScores({ result }: { result: ResultRecord }) {
  const live = useStudio((state) => state.live);
  const isKept = live?.resultId !== result.id || live.truncation === result.truncation;
  return isKept ? <Scores result={result} /> : null;
}

/** A row, which the strip shows picture by picture, is one here. */
function Gallery({ results, chosen }: { results: readonly ResultRecord[]; chosen: ResultRecord }) {
  const actions = useActions();
  return (
    <ul className="gallery" aria-label="All pictures" tabIndex={0}>
      {stacked(newestFirst(results), chosen).map(({ shown, count }) => (
        <li key={shown.id} className="gallery-item" data-chosen={shown === chosen} data-stack={count > 1}>
          {/* The chosen picture is named once, on the stage. */}
          <BlobImage
            blob={shown.picture}
            alt={shown === chosen ? '' : pictureName(shown, shown.truncation)}
          />
          <span className="gallery-seed" aria-hidden="true">
            {shown.seed}
          </span>
          {count > 1 && (
            <span className="gallery-count" aria-hidden="true">
              {count}
            </span>
          )}
          <button
            type="button"
            aria-label={`Show picture ${shown.seed}${count > 1 ? `, one of ${count} in a row` : ''}`}
            aria-pressed={shown === chosen}
            onClick={() => actions().chooseResult(shown.id)}
          />
        </li>
      ))}
    </ul>
  );
}

function EmptyStage() {
  return (
    <div className="stage-empty">
      <p>Your pictures appear here</p>
      <p className="quiet">
        Choose a concept above or teach one, write what it should do with {'{}'} in its place, and press
        Generate.
      </p>
    </div>
  );
}

/** A picture to compare with at first: the loosest of the same seed, else the newest of the others. */
function otherThan(results: readonly ResultRecord[], chosen: ResultRecord): ResultRecord | undefined {
  const isOther = (each: ResultRecord) => each !== chosen;
  return sweepAround(results, chosen, 'truncation').find(isOther) ?? newestFirst(results).find(isOther);
}

function Dialogs({
  chosen,
  opened,
  close,
}: {
  chosen: ResultRecord;
  opened: OpenDialog | null;
  close: () => void;
}) {
  const results = useStudio((state) => state.results);
  const other = otherThan(results, chosen);
  if (opened === 'enlarge') return <EnlargeDialog result={chosen} onClose={close} />;
  return opened === 'compare' && other ? <CompareDialog left={other} right={chosen} onClose={close} /> : null;
}
/** Nothing was made yet, and nothing taught. */
const isFirstVisit = (state: StudioState) =>
  state.results.length === 0 && state.concepts.length === 0 && taughtSamples(state).length > 0;

export function Results() {
  const firstVisit = useStudio(isFirstVisit);
  const results = useStudio((state) => state.results);
  const chosenId = useStudio((state) => state.chosenResultId);
  const [opened, setOpened] = useState<OpenDialog | null>(null);
  const [veil, setVeil] = useState<Veil>({ word: null, strength: 80 });
  const chosen = results.find((each) => each.id === chosenId) ?? results.at(-1);
  if (firstVisit)
    return (
      <section aria-label="Results">
        <TaughtSamples />
      </section>
    );
  return (
    <section className="results" aria-label="Results">
      <div className="stage">
        {chosen ? <Stage result={chosen} veil={veil} open={setOpened} /> : <EmptyStage />}
        <Making />
        {chosen && <WordAttention result={chosen} veil={veil} onVeil={setVeil} />}
      </div>
      <div className="results-side">
        <TruncationSlider />
        {chosen && <ShownScores result={chosen} />}
      </div>
      {chosen && (
        <>
          <Sweeps chosen={chosen} />
          <Gallery results={results} chosen={chosen} />
          <Dialogs chosen={chosen} opened={opened} close={() => setOpened(null)} />
        </>
      )}
    </section>
  );
}
