/** A part of the page that is folded away until somebody wants it. */
import { Collapsible } from '@base-ui/react/collapsible';
import { useState, type ReactNode } from 'react';
import type { Field } from '../store/state.ts';
import { Icon } from './icons.tsx';
import { useStudio } from './useStudio.ts';

interface FoldProps {
  readonly label: string;
  /** The form's fields in it: a problem with one of them opens it. */
  readonly fields?: readonly Field[];
  readonly children: ReactNode;
}

export function Fold({ label, fields = [], children }: FoldProps) {
  const [opened, setOpened] = useState(false);
  const troubled = useStudio(({ fieldProblems }) => fields.some((field) => field in fieldProblems));
  return (
    <Collapsible.Root className="fold" open={opened || troubled} onOpenChange={setOpened}>
      <Collapsible.Trigger className="link-button fold-trigger">
        <Icon name="chevron" />
        {label}
      </Collapsible.Trigger>
      <Collapsible.Panel className="fold-panel">{children}</Collapsible.Panel>
    </Collapsible.Root>
  );
}
