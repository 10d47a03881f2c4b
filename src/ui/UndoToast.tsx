/** Says what was just deleted and brings it back; stays while the pointer or the focus is on it. */
import { Toast } from '@base-ui/react/toast';
import { useEffect } from 'react';
import type { Removed } from '../store/state.ts';
import { Isolated } from './Isolated.tsx';
import { useActions, useStudio } from './useStudio.ts';

const SHOWN_MS = 12_000;

const sentence = ({ label, what }: Removed) =>
  what === 'pictures' ? `${label} removed.` : `${label} deleted.`;

function Toasts() {
  const actions = useActions();
  const removed = useStudio((state) => state.removed);
  const { toasts, add, close } = Toast.useToastManager();
  useEffect(() => {
    if (removed === null) return;
    const id = add({
      title: <Isolated text={sentence(removed)} />,
      timeout: SHOWN_MS,
      actionProps: { children: 'Undo', onClick: () => void actions().undo() },
    });
    return () => close(id);
  }, [removed, add, close, actions]);
  return toasts.map((toast) => (
    <Toast.Root className="toast" key={toast.id} toast={toast}>
      <Toast.Title className="toast-title" />
      <Toast.Action className="link-button" />
      <Toast.Close className="icon-button" aria-label="Close">
        ×
      </Toast.Close>
    </Toast.Root>
  ));
}

export function UndoToast() {
  return (
    <Toast.Provider>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <Toasts />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
