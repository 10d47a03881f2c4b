/** The top line: what this is, that it stays here and what is stored, and which engine runs it and why. */
import { fileSize } from '../lib/numbers.ts';
import { modelBytes } from '../store/modelBytes.ts';
import { Details } from './Details.tsx';
import { HeaderPopover } from './HeaderPopover.tsx';
import { Opening } from './Loading.tsx';
import { ModelPlace } from './ModelPlace.tsx';
import { useActions, useStudio } from './useStudio.ts';
import type { EngineChoice as EngineInfo } from '../ort/engine.ts';
import type { Provider } from '../ort/runtime.ts';

/** What is stored here, in numbers. */
function Stored() {
  const used = useStudio((state) => state.usage?.used ?? null);
  const concepts = useStudio((state) => state.concepts.length);
  const results = useStudio((state) => state.results.length);
  const ownModels = useStudio(({ modelList }) => (modelList ? modelBytes(modelList.usage) : 0));
  const rows = [
    ['Concepts', concepts],
    ['Results', results],
    ['Your own models', fileSize(ownModels)],
    ['Space used, all models included', used === null ? 'unknown' : fileSize(used)],
  ] as const;
  return <Details rows={rows} />;
}

function RemoveButtons() {
  const actions = useActions();
  const concepts = useStudio((state) => state.concepts.length);
  const results = useStudio((state) => state.results);
  const training = useStudio((state) => state.training !== null);
  return (
    <div className="dialog-buttons">
      <button
        type="button"
        className="button"
        disabled={results.length === 0}
        onClick={() => void actions().deleteResults(results.map((each) => each.id))}
      >
        Remove results
      </button>
      <button
        type="button"
        className="button button-danger"
        disabled={training || concepts + results.length === 0}
        onClick={() => void actions().removeEverything()}
      >
        Remove everything
      </button>
    </div>
  );
}

function StorageInfo() {
  const actions = useActions();
  return (
    <HeaderPopover
      icon="lock"
      label="Everything stays on this computer"
      title="Nothing is uploaded"
      onOpenChange={(open) => open && void actions().measureUsage()}
    >
      <p>
        Pictures, concepts and results never leave this browser. The page fetches files of a model that you
        ask for, and nothing else. Export a concept to keep it elsewhere.
      </p>
      <Stored />
      <RemoveButtons />
    </HeaderPopover>
  );
}

const choices: readonly { provider: Provider | 'auto'; label: string }[] = [
  { provider: 'auto', label: 'Automatic' },
  { provider: 'webgpu', label: 'Graphics card (WebGPU)' },
  { provider: 'wasm', label: 'Processor (WebAssembly)' },
];

function EngineOptions() {
  const actions = useActions();
  const chosen = useStudio((state) => state.form.provider);
  const busy = useStudio((state) => state.training !== null || state.generation !== null);
  return (
    <fieldset className="radios" disabled={busy}>
      <legend className="sr-only">Engine</legend>
      {choices.map(({ provider, label }) => (
        <label key={provider}>
          <input
            type="radio"
            name="provider"
            checked={chosen === provider}
            onChange={() => void actions().chooseProvider(provider)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function engineLabel({ provider, threads }: EngineInfo): string {
  if (provider === 'webgpu') return 'Graphics card';
  return `Processor, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
}

function EnginePopover() {
  const engine = useStudio((state) => state.engine);
  return (
    <HeaderPopover icon="chip" label={engine ? engineLabel(engine) : 'Engine'} title="What runs the model">
      <p>{engine ? engine.reason : 'Nothing yet: the model could not be opened.'}</p>
      <EngineOptions />
    </HeaderPopover>
  );
}

export function Header() {
  const status = useStudio((state) => state.status);
  return (
    <header className="header">
      <h1>
        <svg className="logo" viewBox="0 0 24 24" aria-hidden="true">
          <rect x="2" y="2" width="20" height="20" rx="6" />
          <path d="M8 6.5C5.5 6.5 8.5 12 5 12c3.5 0 .5 5.5 3 5.5M16 6.5c2.5 0-.5 5.5 3 5.5-3.5 0-.5 5.5-3 5.5" />
        </svg>
        NeTI Studio
      </h1>
      <div className="header-info">
        <StorageInfo />
        <ModelPlace />
        {status === 'opening' ? <Opening /> : <EnginePopover />}
      </div>
    </header>
  );
}
