/** A labelled text field with a hint and its problem in place; the accessible name is exactly the label. */
import { useId, type ReactNode } from 'react';
import type { Field as FieldName } from '../store/state.ts';
import { useActions, useStudio } from './useStudio.ts';

type TextFieldName = Extract<
  FieldName,
  'name' | 'category' | 'trainSteps' | 'trainSeed' | 'negativePrompt' | 'seed' | 'steps' | 'guidanceScale'
>;

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

export function FieldProblem({ id, problem }: { id: string; problem: string | undefined }) {
  return problem === undefined ? null : (
    <p className="field-problem" id={id} role="alert">
      {problem}
    </p>
  );
}

export function Field({ field, label, hint, numeric = false, children, ...input }: FieldProps) {
  const id = useId();
  const actions = useActions();
  const value = useStudio((state) => state.form[field]);
  const problem = useStudio((state) => state.fieldProblems[field]);
  const describedBy = [problem && `${id}-problem`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        inputMode={numeric ? 'numeric' : 'text'}
        value={value}
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy || undefined}
        onChange={(event) => actions().edit({ [field]: event.target.value })}
        {...input}
      />
      {hint && (
        <p className="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <FieldProblem id={`${id}-problem`} problem={problem} />
      {children}
    </div>
  );
}
