/** Which model is open, those that this browser keeps with the space they take, and the way to another one. */
import { useState } from 'react';
import { fileSize } from '../lib/numbers.ts';
import { modelBytes } from '../store/modelBytes.ts';
import { HeaderPopover } from './HeaderPopover.tsx';
import { Icon } from './icons.tsx';
import { ModelDialog } from './Later.tsx';
import { Problems } from './Problems.tsx';
import { useActions, useStudio } from './useStudio.ts';
import type { PendingModel, StoredModel } from '../storage/modelRecords.ts';

/** Asks once more, in place: gigabytes are quickly gone and slowly fetched. */
function RemoveButton({ title, bytes, onRemove }: { title: string; bytes: number; onRemove: () => void }) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <button
        type="button"
        className="icon-button"
        aria-label={`Remove ${title}`}
        onClick={() => setAsking(true)}
      >
        <Icon name="trash" />
      </button>
    );
  return (
    <span className="model-asking">
      <button type="button" className="link-button" onClick={() => setAsking(false)}>
        Keep
      </button>
      <button type="button" className="link-button link-danger" onClick={onRemove}>
        Remove {fileSize(bytes)}
      </button>
    </span>
  );
}

interface ChoiceProps {
  readonly id: string | null;
  readonly title: string;
  readonly note: string;
}

function Choice({ id, title, note }: ChoiceProps) {
  const actions = useActions();
  const chosen = useStudio((state) => state.form.model === id);
  const busy = useStudio((state) => state.training !== null || state.generation !== null);
  return (
    <label className="model-choice">
      <input
        type="radio"
        name="model"
        checked={chosen}
        disabled={busy}
        onChange={() => void actions().openModel(id)}
      />
      <span className="model-name">
        <bdi>{title}</bdi>
        <span className="quiet">{note}</span>
      </span>
    </label>
  );
}

function Kept({ model }: { model: StoredModel }) {
  const actions = useActions();
  const prepared = useStudio(
    ({ modelList }) => modelList?.usage.models.find((each) => each.id === model.id)?.prepared ?? 0,
  );
  const training = useStudio((state) => state.training !== null && state.base?.keptId === model.id);
  const bytes = model.bytes + prepared;
  return (
    <li className="model-row">
      <Choice id={model.id} title={model.title} note={fileSize(bytes)} />
      {!training && (
        <RemoveButton
          title={model.title}
          bytes={bytes}
          onRemove={() => void actions().removeModel(model.id)}
        />
      )}
    </li>
  );
}

function Pending({ model, resume }: { model: PendingModel; resume: () => void }) {
  const actions = useActions();
  const { id, title, bytes, received } = model;
  return (
    <li className="model-row">
      <span className="model-name">
        <bdi>{title}</bdi>
        <span className="quiet">
          {fileSize(received)} of {fileSize(bytes)} fetched
        </span>
      </span>
      <button type="button" className="link-button" onClick={resume}>
        Go on
      </button>
      <RemoveButton title={title} bytes={received} onRemove={() => void actions().removeModel(id)} />
    </li>
  );
}

function Space() {
  const usage = useStudio((state) => state.modelList?.usage ?? null);
  if (usage === null) return null;
  const own = modelBytes(usage);
  return (
    <p className="quiet">
      {own > 0 && `Your models take ${fileSize(own)}; `}
      {fileSize(Math.max(usage.quota - usage.usage, 0))} are free.
      {own > 0 && !usage.persistent && ' The browser may clear them when the disk runs short.'}
    </p>
  );
}

/** In the header's words: what is open, or how far a fetch is. */
function useLabel(): string {
  return useStudio(({ base, intake }) => {
    const title = base?.title ?? 'Model';
    if (intake?.phase === 'paused') return `${title}, fetch paused`;
    if (intake?.phase !== 'fetching') return title;
    const { loaded = 0, total = 1 } = intake.progress ?? {};
    return `${title}, fetching ${Math.floor((100 * loaded) / Math.max(total, 1))}%`;
  });
}

type Shown = 'nothing' | 'list' | 'dialog';

function ModelList({ getAnother }: { getAnother: () => void }) {
  const actions = useActions();
  const models = useStudio((state) => state.modelList?.models ?? []);
  const intakeId = useStudio(({ intake }) => (intake && 'offer' in intake ? intake.offer.plan.id : null));
  const pending = useStudio((state) => state.modelList?.pending ?? []).filter(({ id }) => id !== intakeId);
  const active = useStudio((state) => state.intake !== null);
  const resume = (id: string) => {
    getAnother();
    void actions().resumeModel(id);
  };
  return (
    <>
      <fieldset>
        <legend className="sr-only">Model</legend>
        <ul className="model-list" aria-label="Models">
          <li className="model-row">
            <Choice id={null} title="The studio’s own" note="comes with this page" />
          </li>
          {models.map((model) => (
            <Kept key={model.id} model={model} />
          ))}
          {pending.map((model) => (
            <Pending key={model.id} model={model} resume={() => resume(model.id)} />
          ))}
        </ul>
      </fieldset>
      <Space />
      <Problems place="models" />
      <button type="button" className="button" onClick={getAnother}>
        {active ? 'Show what is being fetched' : 'Use your own Stable Diffusion'}
      </button>
    </>
  );
}

export function ModelPlace() {
  const actions = useActions();
  const label = useLabel();
  const [shown, setShown] = useState<Shown>('nothing');
  const showList = (open: boolean) => {
    setShown(open ? 'list' : 'nothing');
    if (open) void actions().loadModels();
  };
  return (
    <>
      <HeaderPopover
        icon="model"
        label={label}
        title="Which model draws"
        open={shown === 'list'}
        onOpenChange={showList}
      >
        <ModelList getAnother={() => setShown('dialog')} />
      </HeaderPopover>
      {shown === 'dialog' && <ModelDialog onClose={() => setShown('nothing')} />}
    </>
  );
}
