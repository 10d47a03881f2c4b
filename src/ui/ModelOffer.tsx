/** What getting a model would take and what of it will run here, before anything is fetched. */
import type { ModelOffer } from '../worker/api.ts';
import { fileSize } from '../lib/numbers.ts';
import { Fold } from './Fold.tsx';
import { Icon } from './icons.tsx';
import { ModelGuess } from './ModelGuess.tsx';
import { useActions } from './useStudio.ts';
import type { ModelPlan } from '../intake/plan.ts';
import type { ModelSource } from '../storage/modelRecords.ts';
import type { Verdict } from '../intake/preflight.ts';

function sourceWords(source: ModelSource): string {
  if (source.kind === 'folder') return 'a folder on this computer';
  if (source.kind === 'url') return new URL(source.address).host;
  return `${new URL(source.host).host}, ${source.repo} at ${source.revision} (${source.commit.slice(0, 7)})`;
}

function Licence({ licence }: Pick<ModelPlan, 'licence'>) {
  if (licence === null) return <>not stated; ask whoever published it</>;
  if (licence.url === null) return <bdi>{licence.name}</bdi>;
  return (
    <a href={licence.url} target="_blank" rel="noreferrer">
      <bdi>{licence.name}</bdi>
    </a>
  );
}

function Facts({ plan }: { plan: ModelPlan }) {
  const count = plan.files.length;
  return (
    <dl className="details">
      <div>
        <dt>From</dt>
        <dd>{sourceWords(plan.source)}</dd>
      </div>
      <div>
        <dt>Files</dt>
        <dd>
          {count} {count === 1 ? 'file' : 'files'}, {fileSize(plan.totalBytes)}
        </dd>
      </div>
      <div>
        <dt>Licence</dt>
        <dd>
          <Licence licence={plan.licence} />
        </dd>
      </div>
    </dl>
  );
}

const answers = {
  yes: { word: 'yes', icon: 'check' },
  maybe: { word: 'perhaps', icon: 'question' },
  no: { word: 'no', icon: 'close' },
} as const;

function Row({ task, verdict }: { task: string; verdict: Verdict }) {
  const { word, icon } = answers[verdict.answer];
  return (
    <li className="verdict" data-answer={verdict.answer}>
      <Icon name={icon} />
      <div>
        <p className="verdict-task">
          {task}: {word}
        </p>
        <p className="quiet">{verdict.reasons.join(' ')}</p>
      </div>
    </li>
  );
}

function Files({ plan }: { plan: ModelPlan }) {
  return (
    <Fold label="All files">
      <ul className="model-files" tabIndex={0} aria-label="Files of the model">
        {plan.files.map(({ path, bytes }) => (
          <li key={path}>
            <span className="model-path">{path}</span>
            <span className="quiet">{fileSize(bytes)}</span>
          </li>
        ))}
      </ul>
    </Fold>
  );
}

interface ModelOfferProps {
  readonly offer: ModelOffer;
  /** Whether it is being planned again. */
  readonly isChanging: boolean;
}

export function ModelOfferView({ offer, isChanging }: ModelOfferProps) {
  const actions = useActions();
  const { plan, preflight } = offer;
  const verb = plan.source.kind === 'folder' ? 'Copy' : 'Fetch';
  const runs = preflight.draw.answer !== 'no';
  return (
    <>
      <h3 className="model-title">
        <bdi>{plan.title}</bdi>
      </h3>
      <Facts plan={plan} />
      <ul className="verdicts" aria-label="What will run here">
        <Row task="Fits into this browser" verdict={preflight.store} />
        <Row task="Draws pictures here" verdict={preflight.draw} />
        <Row task="Learns concepts here" verdict={preflight.train} />
      </ul>
      {plan.notes.length > 0 && <p className="quiet">{plan.notes.join(' ')}</p>}
      {plan.guess && <ModelGuess guess={plan.guess} disabled={isChanging} />}
      <Files plan={plan} />
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={() => void actions().dropIntake()}>
          Back
        </button>
        <button
          type="button"
          className="button button-primary"
          disabled={isChanging || preflight.store.answer === 'no'}
          onClick={() => void actions().fetchModel()}
        >
          {verb} {fileSize(plan.totalBytes)}
          {!runs && ' anyway'}
        </button>
      </div>
    </>
  );
}
