/** A fetch under way: all of it and each file, with the time left; it can be paused, gone on with, and cancelled. */
import { Progress } from '@base-ui/react/progress';
import type { Intake } from '../store/state.ts';
import { fileSize } from '../lib/numbers.ts';
import { duration } from '../store/words.ts';
import { Icon } from './icons.tsx';
import { useActions } from './useStudio.ts';

type Underway = Extract<Intake, { readonly phase: 'fetching' | 'paused' }>;

function timing(intake: Underway): string {
  if (intake.phase !== 'fetching') return 'Paused; what came so far is kept';
  const { progress } = intake;
  if (progress === null) return 'Beginning…';
  if (progress.status === 'waiting') return `${progress.reason ?? 'No answer'}; trying again`;
  if (progress.status === 'checking') return 'Checking what is here already…';
  return progress.secondsLeft === null ? 'Measuring…' : `${duration(progress.secondsLeft)} left`;
}

function Total({ intake }: { intake: Underway }) {
  const { totalBytes } = intake.offer.plan;
  const loaded = intake.phase === 'fetching' ? (intake.progress?.loaded ?? 0) : null;
  return (
    <Progress.Root className="progress" aria-label="Fetching the model" value={loaded} max={totalBytes || 1}>
      <span className="progress-text">
        {loaded !== null && `${fileSize(loaded)} of `}
        {fileSize(totalBytes)}
      </span>
      <span className="progress-text quiet">{timing(intake)}</span>
      {loaded !== null && (
        <Progress.Track className="progress-track">
          <Progress.Indicator className="progress-fill" />
        </Progress.Track>
      )}
    </Progress.Root>
  );
}

function FileRow({ intake, path, bytes }: { intake: Underway; path: string; bytes: number }) {
  const fetching = intake.phase === 'fetching' ? intake : null;
  const done = fetching?.done.includes(path) ?? false;
  const loaded = fetching?.progress?.file === path && !done ? fetching.progress.fileLoaded : null;
  return (
    <li data-done={done} data-current={loaded !== null}>
      <span className="model-path">{path}</span>
      <span className="quiet">
        {loaded !== null && `${fileSize(loaded)} of `}
        {fileSize(bytes)}
      </span>
      {done && <Icon name="check" />}
      {done && <span className="sr-only">done</span>}
    </li>
  );
}

interface ModelFetchProps {
  readonly intake: Underway;
  readonly onClose: () => void;
  readonly onCancel: () => void;
}

export function ModelFetch({ intake, onClose, onCancel }: ModelFetchProps) {
  const actions = useActions();
  const { title, files } = intake.offer.plan;
  const paused = intake.phase !== 'fetching';
  return (
    <>
      <h3 className="model-title">
        <bdi>{title}</bdi>
      </h3>
      <Total intake={intake} />
      <ul className="model-files" tabIndex={0} aria-label="Files of the model">
        {files.map(({ path, bytes }) => (
          <FileRow key={path} intake={intake} path={path} bytes={bytes} />
        ))}
      </ul>
      <p className="quiet">
        You may close this window and go on working. If the page closes, go on later from the model list.
      </p>
      <div className="dialog-buttons">
        <button type="button" className="button button-danger" onClick={onCancel}>
          Cancel and remove
        </button>
        <button
          type="button"
          className="button"
          onClick={() => void (paused ? actions().fetchModel() : actions().pauseFetch())}
        >
          {paused ? 'Go on' : 'Pause'}
        </button>
        <button type="button" className="button button-primary" onClick={onClose}>
          Close
        </button>
      </div>
    </>
  );
}
