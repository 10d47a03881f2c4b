/** Ways to a model: a well-known one, a file or folder of this computer, a repository of the Hugging Face Hub, any address. */
import { Dialog } from '@base-ui/react/dialog';
import { useState, type ReactNode } from 'react';
import { useDropzone } from 'react-dropzone';
import type { ModelSourceRequest } from '../worker/api.ts';
import { ChooseFiles } from './ChooseFiles.tsx';
import { KnownModels } from './KnownModels.tsx';
import { TextField } from './TextField.tsx';
import { useActions, useStudio } from './useStudio.ts';

const ways = [
  { kind: 'known', label: 'Well-known' },
  { kind: 'folder', label: 'This computer' },
  { kind: 'hub', label: 'Hugging Face' },
  { kind: 'url', label: 'Address' },
] as const;
type Way = (typeof ways)[number]['kind'];

function Ways({ chosen, choose }: { chosen: Way; choose: (way: Way) => void }) {
  return (
    <fieldset className="field">
      <legend>Where is it?</legend>
      <div className="segments">
        {ways.map(({ kind, label }) => (
          <label key={kind}>
            <input type="radio" name="way" checked={chosen === kind} onChange={() => choose(kind)} />
            <span>{label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** Path of a file in its folder: a dropped folder's files have it in `path`, a chosen one's in `webkitRelativePath`. */
function pathOf(file: File & { readonly path?: string }): string {
  return (file.webkitRelativePath || file.path || file.name).replace(/^\.?\//, '');
}

function ComputerWay() {
  const actions = useActions();
  const planning = useStudio((state) => state.intake?.phase === 'planning');
  const plan = (files: File[]) => {
    const found = files.map((file) => ({ path: pathOf(file), file }));
    if (found.length) void actions().planModel({ kind: 'folder', files: found });
  };
  const { getRootProps, getInputProps, isDragActive, open } = useDropzone({
    onDrop: plan,
    noClick: true,
    noKeyboard: true,
    // The page behind takes dropped files for pictures.
    noDragEventsBubbling: true,
  });
  return (
    <div
      {...getRootProps({ className: 'drop-empty', role: undefined, tabIndex: undefined })}
      data-dragging={isDragActive}
    >
      <input {...getInputProps({ 'aria-label': 'Model folder', webkitdirectory: '' })} />
      <p className="drop-lead">Drop the model’s .safetensors file, or its folder</p>
      <p className="quiet">One file as of Civitai, a folder of diffusers, or one of ONNX.</p>
      {!planning && (
        <div className="dialog-buttons">
          <ChooseFiles label="Model file" multiple onFiles={plan} />
          <button type="button" className="button" onClick={open}>
            Choose folder
          </button>
        </div>
      )}
    </div>
  );
}

/** Ends the looking, where a form has no button for it. */
function Cancel() {
  const actions = useActions();
  const planning = useStudio((state) => state.intake?.phase === 'planning');
  if (!planning) return null;
  return (
    <>
      <p role="status">Looking…</p>
      <button type="button" className="button" onClick={() => void actions().dropIntake()}>
        Cancel
      </button>
    </>
  );
}

interface AskProps {
  readonly request: ModelSourceRequest;
  readonly complete: boolean;
  readonly children: ReactNode;
}

/** A form that asks the source what it has. */
function Ask({ request, complete, children }: AskProps) {
  const actions = useActions();
  const planning = useStudio((state) => state.intake?.phase === 'planning');
  return (
    <form
      className="model-form"
      onSubmit={(event) => {
        event.preventDefault();
        void actions().planModel(request);
      }}
    >
      {children}
      <div className="dialog-buttons">
        {planning ? (
          <button type="button" className="button" onClick={() => void actions().dropIntake()}>
            Cancel
          </button>
        ) : (
          <Dialog.Close className="button">Close</Dialog.Close>
        )}
        <button type="submit" className="button button-primary" disabled={!complete || planning}>
          {planning ? 'Looking…' : 'See what it takes'}
        </button>
      </div>
    </form>
  );
}

function HubWay() {
  const [name, setName] = useState('');
  const [revision, setRevision] = useState('');
  return (
    <Ask
      request={{ kind: 'hub', name: name.trim(), revision: revision.trim() }}
      complete={name.trim() !== ''}
    >
      <div className="field-row">
        <TextField
          label="Repository"
          value={name}
          onText={setName}
          spellCheck={false}
          placeholder="owner/name"
          hint="Its name, or the address of its page, a folder or a file in it."
        />
        <TextField
          label="Revision"
          value={revision}
          onText={setRevision}
          spellCheck={false}
          placeholder="main"
          hint="A branch, tag or commit."
        />
      </div>
    </Ask>
  );
}

function UrlWay() {
  const [address, setAddress] = useState('');
  return (
    <Ask request={{ kind: 'url', address: address.trim() }} complete={address.trim() !== ''}>
      <TextField
        label="Address of the model’s folder or file"
        value={address}
        onText={setAddress}
        spellCheck={false}
        placeholder="https://example.org/models/my-model/"
        hint="Its server must let this page read from it (CORS)."
      />
    </Ask>
  );
}

const ASKS_THE_HUB =
  'This page asks huggingface.co, and where that keeps its files, for the files you are shown first, and for nothing else. Nothing of yours is sent along.';

const PRIVACY: Record<Way, string> = {
  known: ASKS_THE_HUB,
  folder: 'The files are copied into this browser’s own storage. Nothing is sent anywhere.',
  hub: ASKS_THE_HUB,
  url: 'This page asks that server for the files you are shown first, and for nothing else. Nothing of yours is sent along.',
};

export function ModelSource() {
  const [way, setWay] = useState<Way>('known');
  return (
    <>
      <p className="quiet">
        Stable Diffusion 1.x or 2.x, or what was made of them. It stays in this browser until you remove it.
      </p>
      <Ways chosen={way} choose={setWay} />
      {way === 'known' && <KnownModels />}
      {way === 'folder' && <ComputerWay />}
      {way === 'hub' && <HubWay />}
      {way === 'url' && <UrlWay />}
      <p className="quiet model-privacy">{PRIVACY[way]}</p>
      {(way === 'known' || way === 'folder') && (
        <div className="dialog-buttons">
          <Cancel />
          <Dialog.Close className="button">Close</Dialog.Close>
        </div>
      )}
    </>
  );
}
