/** A new name for a concept; its file is relabelled with it. */
import { Dialog } from '@base-ui/react/dialog';
import { useId, useState } from 'react';
import type { ConceptRecord } from '../store/state.ts';
import { useActions } from './useStudio.ts';

export function RenameDialog({ concept, onClose }: { concept: ConceptRecord; onClose: () => void }) {
  const id = useId();
  const actions = useActions();
  const [name, setName] = useState(concept.name);
  const submit = () => {
    void actions().renameConcept(concept.id, name);
    onClose();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="dialog dialog-small">
          <Dialog.Title className="dialog-title">Rename</Dialog.Title>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              submit();
            }}
          >
            <div className="field">
              <label htmlFor={id}>New name</label>
              <input id={id} value={name} maxLength={60} onChange={(event) => setName(event.target.value)} />
            </div>
            <div className="dialog-buttons">
              <Dialog.Close className="button">Cancel</Dialog.Close>
              <button type="submit" className="button button-primary" disabled={name.trim() === ''}>
                Rename
              </button>
            </div>
          </form>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
