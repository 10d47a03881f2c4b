/** A window over the page. Its buttons, Escape, a press beside it and the browser's back button close it. */
import { Dialog } from '@base-ui/react/dialog';
import type { ComponentProps } from 'react';
import { useBackButton } from './backButton.ts';

interface ModalProps extends Pick<
  ComponentProps<typeof Dialog.Popup>,
  'className' | 'children' | 'onKeyDown'
> {
  readonly onClose: () => void;
}

export function Modal({ onClose, ...popup }: ModalProps) {
  useBackButton(onClose);
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup {...popup} />
      </Dialog.Portal>
    </Dialog.Root>
  );
}
