/** Well-known models that are openly licensed: what each takes, what will come of it here, and one click to look at it. */
import { useEffect } from 'react';
import { fileSize } from '../lib/numbers.ts';
import { Icon } from './icons.tsx';
import { useActions, useStudio } from './useStudio.ts';
import type { JudgedModel } from '../intake/knownModels.ts';

const FITS = {
  trains: { word: 'Trains here', icon: 'check' },
  draws: { word: 'Draws only', icon: 'question' },
  'too-large': { word: 'Too large', icon: 'close' },
} as const;

function Row({ model, busy, get }: { model: JudgedModel; busy: boolean; get: () => void }) {
  const { name, about, bytes, licence, link, fit, reasons } = model;
  const { word, icon } = FITS[fit];
  return (
    <li className="known-model" data-fit={fit}>
      <p className="known-name">
        <a href={link} target="_blank" rel="noreferrer">
          {name}
        </a>
        <span className="known-fit">
          <Icon name={icon} />
          {word}
        </span>
      </p>
      <p>{about}.</p>
      <p className="quiet">
        {fileSize(bytes)} ·{' '}
        <a href={licence.url} target="_blank" rel="noreferrer">
          {licence.name}
        </a>
      </p>
      <p className="quiet">{reasons[0]}</p>
      <button type="button" className="button" disabled={busy} aria-label={`Get ${name}`} onClick={get}>
        Get
      </button>
    </li>
  );
}

export function KnownModels() {
  const actions = useActions();
  const models = useStudio((state) => state.knownModels);
  const busy = useStudio((state) => state.intake?.phase === 'planning');
  useEffect(() => {
    void actions().loadKnownModels();
  }, [actions]);
  const none = models?.every(({ fit }) => fit === 'too-large') ?? false;
  return (
    <>
      {none && <p className="quiet">{models?.[0]?.reasons.slice(1).join(' ')}</p>}
      <ul className="known-models" tabIndex={0} aria-label="Well-known models" aria-busy={models === null}>
        {(models ?? []).map((model) => (
          <Row
            key={model.repo}
            model={model}
            busy={busy}
            get={() => void actions().planModel({ kind: 'hub', name: model.repo, revision: model.revision })}
          />
        ))}
      </ul>
    </>
  );
}
