/** A text field of the page's form, with its problem in place. */
import type { ReactNode } from 'react';
import type { Field as FieldName, Form } from '../store/state.ts';
import { TextField } from './TextField.tsx';
import { useActions, useStudio } from './useStudio.ts';

/** The fields that hold whatever is typed. */
type TextFieldName = {
  [Name in FieldName]: Form[Name] extends string ? (string extends Form[Name] ? Name : never) : never;
}[FieldName];

interface FieldProps {
  readonly field: TextFieldName;
  readonly label: string;
  readonly placeholder?: string;
  readonly hint?: string;
  readonly numeric?: boolean;
  readonly disabled?: boolean;
  readonly onBlur?: () => void;
  readonly children?: ReactNode;
}

export function Field({ field, numeric = false, ...shown }: FieldProps) {
  const actions = useActions();
  const value = useStudio((state) => state.form[field]);
  const problem = useStudio((state) => state.fieldProblems[field]);
  return (
    <TextField
      value={value}
      problem={problem}
      inputMode={numeric ? 'numeric' : 'text'}
      onText={(text) => actions().edit({ [field]: text })}
      {...shown}
    />
  );
}
