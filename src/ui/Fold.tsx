/** A part of the page that is folded away until somebody wants it. */
import { Collapsible } from '@base-ui/react/collapsible';
import type { ReactNode } from 'react';
import { Icon } from './icons.tsx';

export function Fold({ label, children }: { label: string; children: ReactNode }) {
  return (
    <Collapsible.Root className="fold">
      <Collapsible.Trigger className="link-button fold-trigger">
        <Icon name="chevron" />
        {label}
      </Collapsible.Trigger>
      <Collapsible.Panel className="fold-panel">{children}</Collapsible.Panel>
    </Collapsible.Root>
  );
}
