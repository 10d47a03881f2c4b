/** A button of the header with what it tells in a popover. */
import { Popover } from '@base-ui/react/popover';
import type { ReactNode } from 'react';
import { Icon, type IconName } from './icons.tsx';

interface HeaderPopoverProps {
  readonly icon: IconName;
  readonly label: string;
  readonly title: string;
  readonly children: ReactNode;
  /** Given when somebody else opens and closes it too. */
  readonly open?: boolean;
  readonly onOpenChange?: (open: boolean) => void;
}

export function HeaderPopover({ icon, label, title, children, ...openness }: HeaderPopoverProps) {
  return (
    <Popover.Root {...openness}>
      <Popover.Trigger className="header-button">
        <Icon name={icon} />
        {label}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={8} align="end" collisionPadding={8}>
          <Popover.Popup className="popover">
            <Popover.Title className="popover-title">{title}</Popover.Title>
            {children}
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
