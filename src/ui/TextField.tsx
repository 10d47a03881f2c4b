/** A labelled text field with a hint and its problem in place; the accessible name is exactly the label. */
import { useId, type ComponentProps, type ReactNode } from 'react';

interface TextFieldProps extends Pick<
  ComponentProps<'input'>,
  'placeholder' | 'disabled' | 'inputMode' | 'spellCheck' | 'onBlur'
> {
  readonly label: string;
  readonly value: string;
  readonly onText: (text: string) => void;
  readonly hint?: string;
  readonly problem?: string;
  readonly children?: ReactNode;
}

export function FieldProblem({ id, problem }: { id: string; problem: string | undefined }) {
  return problem === undefined ? null : (
    <p className="field-problem" id={id} role="alert">
      {problem}
    </p>
  );
}

export function TextField({ label, onText, hint, problem, children, ...input }: TextFieldProps) {
  const id = useId();
  const describedBy = [problem && `${id}-problem`, hint && `${id}-hint`].filter(Boolean).join(' ');
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        aria-invalid={problem !== undefined}
        aria-describedby={describedBy || undefined}
        onChange={(event) => onText(event.target.value)}
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
