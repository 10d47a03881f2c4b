/** A choice of one among few, as the browser has it; with a label it is a field of a form. */
import { useId, type ComponentProps } from 'react';

export interface Option {
  readonly value: string;
  readonly label: string;
}

interface SelectProps extends Pick<ComponentProps<'select'>, 'id' | 'aria-label' | 'disabled'> {
  readonly value: string;
  readonly options: readonly Option[];
  readonly onChoose: (value: string) => void;
}

export function Select({ options, onChoose, ...select }: SelectProps) {
  return (
    <select onChange={(event) => onChoose(event.target.value)} {...select}>
      {options.map(({ value, label }) => (
        <option key={value} value={value}>
          {label}
        </option>
      ))}
    </select>
  );
}

interface SelectFieldProps extends Omit<SelectProps, 'id' | 'aria-label'> {
  readonly label: string;
  readonly className?: string;
}

export function SelectField({ label, className = '', ...select }: SelectFieldProps) {
  const id = useId();
  return (
    <div className={`field ${className}`}>
      <label htmlFor={id}>{label}</label>
      <Select id={id} {...select} />
    </div>
  );
}

/** Options of a record of labels. */
export const optionsOf = (labels: Readonly<Record<string, string>>): Option[] =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));
