/** What was made: the chosen picture large with the truncation slider, and every kept picture beside it. */
import { useState } from 'react';
import type { ResultRecord } from '../store/state.ts';
import { duration } from '../store/words.ts';
import { useBlobUrl, download } from './blobUrl.ts';
import { CrossFade } from './CrossFade.tsx';
import { EnlargeDialog } from './EnlargeDialog.tsx';
import { MixingStrip } from './Mixing.tsx';
import { Icon, type IconName } from './icons.tsx';
import { pictureName, resultFileName } from './resultWords.ts';
import { Scores } from './Scores.tsx';
import { TruncationSlider } from './TruncationSlider.tsx';
import { useActions, useStudio } from './useStudio.ts';
import { BlobImage } from './BlobImage.tsx';

function Making() {
  const actions = useActions();
  const generation = useStudio((state) => state.generation);
  if (generation === null) return null;
  const { phase, step, steps, secondsLeft } = generation;
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
  return (
    <div className="making">
      <span className="making-bar" style={{ inlineSize: `${(100 * step) / steps}%` }} />
      <span>{phase === 'waiting' ? 'Getting ready…' : `Step ${step} of ${steps}${left}`}</span>
      <button type="button" className="link-button" onClick={() => actions().cancelGeneration()}>
        Cancel
      </button>
    </div>
  );
}

function StageAction({ icon, label, onClick }: { icon: IconName; label: string; onClick: () => void }) {
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon name={icon} />
    </button>
  );
}

function StageActions({ result, enlarge }: { result: ResultRecord; enlarge: () => void }) {
  const actions = useActions();
  const live = useStudio((state) => state.live);
  const picture = live?.resultId === result.id ? live.picture : result.picture;
  const keepable = live?.quality === 'full' && live.truncation !== result.truncation;
  return (
    <div className="stage-actions">
      {keepable && (
        <StageAction icon="keep" label="Keep this version" onClick={() => void actions().keepLive()} />
      )}
      <StageAction icon="enlarge" label="Enlarge" onClick={enlarge} />
      <StageAction icon="down" label="Download" onClick={() => download(picture, resultFileName(result))} />
      <StageAction
        icon="trash"
        label="Delete picture"
        onClick={() => void actions().deleteResults([result.id])}
      />
    </div>
  );
}

function Stage({ result, enlarge }: { result: ResultRecord; enlarge: () => void }) {
  const live = useStudio((state) => state.live);
  const shown = live?.resultId === result.id ? live : { ...result, quality: 'full' as const };
  return (
    <div className="stage-picture" data-quality={shown.quality}>
      <CrossFade src={useBlobUrl(shown.picture)} alt={pictureName(result, shown.truncation)} />
      <StageActions result={result} enlarge={enlarge} />
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

/** Newest first; pictures of one press of Generate stay in the order of their seeds. */
const byNewest = (a: ResultRecord, b: ResultRecord) => b.created.localeCompare(a.created) || a.seed - b.seed;

function Gallery({ results, chosen }: { results: readonly ResultRecord[]; chosen: ResultRecord }) {
  const actions = useActions();
  return (
    <ul className="gallery" aria-label="All pictures" tabIndex={0}>
      {results.toSorted(byNewest).map((result) => (
        <li key={result.id} className="gallery-item" data-chosen={result === chosen}>
          {/* The chosen picture is named once, on the stage. */}
          <BlobImage
            blob={result.picture}
            alt={result === chosen ? '' : pictureName(result, result.truncation)}
          />
          <span className="gallery-seed" aria-hidden="true">
            {result.seed}
          </span>
          <button
            type="button"
            aria-label={`Show picture ${result.seed}`}
            aria-pressed={result === chosen}
            onClick={() => actions().chooseResult(result.id)}
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

export function Results() {
  const results = useStudio((state) => state.results);
  const chosenId = useStudio((state) => state.chosenResultId);
  const [enlarged, setEnlarged] = useState(false);
  const chosen = results.find((each) => each.id === chosenId) ?? results.at(-1);
  return (
    <section className="results" aria-label="Results">
      <div className="stage">
        {chosen ? <Stage result={chosen} enlarge={() => setEnlarged(true)} /> : <EmptyStage />}
        <Making />
      </div>
      <div className="results-side">
        <TruncationSlider />
        {chosen && <ShownScores result={chosen} />}
        {chosen && <MixingStrip chosen={chosen} />}
        {chosen && <Gallery results={results} chosen={chosen} />}
      </div>
      {chosen && enlarged && <EnlargeDialog result={chosen} onClose={() => setEnlarged(false)} />}
    </section>
  );
}
