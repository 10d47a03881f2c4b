/** A concept's name and tags; its file carries them. */
import { Dialog } from '@base-ui/react/dialog';
import { useId, useState, type ComponentProps } from 'react';
import type { ConceptRecord } from '../store/state.ts';
import { Modal } from './Modal.tsx';
import { useActions } from './useStudio.ts';

interface LabelFieldProps extends Pick<ComponentProps<'input'>, 'value' | 'maxLength' | 'placeholder'> {
  readonly label: string;
  readonly onText: (text: string) => void;
}

function LabelField({ label, onText, ...input }: LabelFieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} onChange={(event) => onText(event.target.value)} {...input} />
    </div>
  );
}

interface LabelDialogProps {
  readonly concept: ConceptRecord;
  readonly onClose: () => void;
}

function LabelForm({ concept, onClose }: LabelDialogProps) {
  const actions = useActions();
  const [name, setName] = useState(concept.name);
  const [tags, setTags] = useState(concept.tags.join(', '));
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void actions().relabelConcept(concept.id, name, tags);
        onClose();
      }}
    >
      <LabelField label="New name" value={name} maxLength={60} onText={setName} />
      <LabelField label="Tags" value={tags} maxLength={400} placeholder="toys, birthday" onText={setTags} />
      <div className="dialog-buttons">
        <Dialog.Close className="button">Cancel</Dialog.Close>
        <button type="submit" className="button button-primary" disabled={name.trim() === ''}>
          Save
        </button>
      </div>
    </form>
  );
}

export function LabelDialog(props: LabelDialogProps) {
  return (
    <Modal onClose={props.onClose} className="dialog dialog-small">
      <Dialog.Title className="dialog-title">Name and tags</Dialog.Title>
      <LabelForm {...props} />
    </Modal>
  );
}
