/** Getting a Stable Diffusion of one's own: where it is, what it would take and what will run, then the fetch itself. */
import { Dialog } from '@base-ui/react/dialog';
import { useEffect, useRef } from 'react';
import { Modal } from './Modal.tsx';
import { ModelFetch } from './ModelFetch.tsx';
import { ModelOfferView } from './ModelOffer.tsx';
import { ModelQuestionView } from './ModelQuestion.tsx';
import { ModelSource } from './ModelSource.tsx';
import { Problems } from './Problems.tsx';
import { useActions, useStudio } from './useStudio.ts';

function Content({ onClose }: { onClose: () => void }) {
  const actions = useActions();
  const intake = useStudio((state) => state.intake);
  if (intake === null || intake.phase === 'planning') return <ModelSource />;
  if (intake.phase === 'asking') return <ModelQuestionView question={intake.question} />;
  if (intake.phase === 'offered')
    return <ModelOfferView offer={intake.offer} isChanging={intake.isChanging} />;
  return (
    <ModelFetch
      intake={intake}
      onClose={onClose}
      onCancel={() => {
        void actions().dropIntake();
      }}
    />
  );
}

/** A fetch that ended leaves nothing to show: the model is here, or it was cancelled. */
function useCloseAtTheEnd(onClose: () => void): void {
  const phase = useStudio((state) => state.intake?.phase ?? null);
  const before = useRef(phase);
  useEffect(() => {
    const wasUnderway = before.current === 'fetching' || before.current === 'paused';
    before.current = phase;
    if (wasUnderway && phase === null) onClose();
  }, [phase, onClose]);
}

export function ModelDialog({ onClose }: { onClose: () => void }) {
  const actions = useActions();
  useCloseAtTheEnd(onClose);
  const close = () => {
    const phase = actions().intake?.phase;
    // An offer that nobody took is forgotten; what is being fetched goes on behind the closed window.
    if (phase && phase !== 'fetching' && phase !== 'paused') void actions().dropIntake();
    onClose();
  };
  return (
    <Modal onClose={close} className="dialog dialog-model">
      <Dialog.Title className="dialog-title">Use your own Stable Diffusion</Dialog.Title>
      <Content onClose={onClose} />
      <Problems place="models" />
    </Modal>
  );
}
