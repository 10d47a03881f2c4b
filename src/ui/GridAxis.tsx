/** One axis of a grid: which setting, and its values as typed or ticked. */
import { useId } from 'react';
import { axisKinds } from '../store/gridAxes.ts';
import type { AxisField, AxisForm } from '../store/state.ts';
import { Select } from './SelectField.tsx';
import { FieldProblem } from './TextField.tsx';
import { useActions, useStudio } from './useStudio.ts';

interface GridAxisProps {
  readonly slot: 'gridX' | 'gridY';
  readonly label: string;
}

function Ticks({ form, onForm }: { form: AxisForm; onForm: (form: AxisForm) => void }) {
  const state = useStudio(({ concepts, form: asked, base }) => ({ concepts, form: asked, base }));
  const kind = axisKinds[form.field];
  const choices = kind.input === 'choices' ? kind.choices(state) : [];
  const tick = (id: string, ticked: boolean) =>
    onForm({ ...form, chosen: ticked ? [...form.chosen, id] : form.chosen.filter((each) => each !== id) });
  if (choices.length === 0) return <p className="field-hint">There is nothing to choose from yet.</p>;
  return (
    <fieldset className="grid-ticks">
      <legend className="sr-only">{kind.title}</legend>
      {choices.map(({ id, label }) => (
        <label key={id}>
          <input
            type="checkbox"
            checked={form.chosen.includes(id)}
            onChange={(event) => tick(id, event.target.checked)}
          />
          {label}
        </label>
      ))}
    </fieldset>
  );
}

function Values({
  form,
  onForm,
  label,
  problem,
}: {
  form: AxisForm;
  onForm: (form: AxisForm) => void;
  label: string;
  problem: string | undefined;
}) {
  const id = useId();
  const kind = axisKinds[form.field];
  if (kind.input === 'choices') return <Ticks form={form} onForm={onForm} />;
  const shared = {
    id,
    value: form.text,
    'aria-label': `${label} values`,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-hint`,
  };
  return (
    <>
      {kind.input === 'lines' ? (
        <textarea {...shared} rows={3} onChange={(event) => onForm({ ...form, text: event.target.value })} />
      ) : (
        <input {...shared} onChange={(event) => onForm({ ...form, text: event.target.value })} />
      )}
      <p className="field-hint" id={`${id}-hint`}>
        {kind.hint}
      </p>
    </>
  );
}

/** Values that an axis begins with when it is chosen. */
const BEGINNINGS: Partial<Record<AxisField, string>> = {
  seed: '1-4',
  truncation: '1, 16, 64, 128',
  guidanceScale: '1, 2.5, 5, 7.5',
  steps: '5, 10, 20',
  mixing: '0, 40, 80',
};

const axisOptions = Object.entries(axisKinds).map(([value, { title }]) => ({ value, label: title }));

export function GridAxis({ slot, label }: GridAxisProps) {
  const id = useId();
  const actions = useActions();
  const form = useStudio((state) => state.form[slot]);
  const prompt = useStudio((state) => state.form.prompt);
  const problem = useStudio((state) => state.fieldProblems[slot]);
  const onForm = (next: AxisForm) => actions().edit({ [slot]: next });
  const onField = (field: AxisField) =>
    onForm({ field, text: field === 'prompt' ? prompt : (BEGINNINGS[field] ?? ''), chosen: [] });
  return (
    <div className="field grid-axis">
      <label htmlFor={id}>{label}</label>
      <Select
        id={id}
        value={form.field}
        options={axisOptions}
        onChoose={(field) => onField(field as AxisField)}
      />
      <Values form={form} onForm={onForm} label={label} problem={problem} />
      <FieldProblem id={`${id}-problem`} problem={problem} />
    </div>
  );
}
