/** A choice of one among few, as the browser has it; with a label it is a field of a form. */
import { useId, type ComponentProps } from 'react';

export interface Option<Value extends string> {
  readonly value: Value;
  readonly label: string;
}

interface SelectProps<Value extends string> extends Pick<
  ComponentProps<'select'>,
  'id' | 'aria-label' | 'disabled'
> {
  readonly value: string;
  readonly options: readonly Option<Value>[];
  readonly onChoose: (value: Value) => void;
}

export function Select<Value extends string>({ options, onChoose, ...select }: SelectProps<Value>) {
  return (
    <select onChange={(event) => onChoose(options[event.target.selectedIndex]!.value)} {...select}>
      {options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

interface SelectFieldProps<Value extends string> extends Omit<SelectProps<Value>, 'id' | 'aria-label'> {
  readonly label: string;
  readonly className?: string;
}

export function SelectField<Value extends string>({
  label,
  className = '',
  ...select
}: SelectFieldProps<Value>) {
  const id = useId();
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      <Select id={id} {...select} />
    </div>
  );
}

/** Options of a record of labels. */
export const optionsOf = <Value extends string>(labels: Readonly<Record<Value, string>>): Option<Value>[] =>
  (Object.keys(labels) as Value[]).map((value) => ({ value, label: labels[value] }));
