/** Step 3: a prompt, a few choices, and pictures of the concept. */
import { useState } from 'react';
import { samplerNames, samplers } from '../diffusion/samplers/table.ts';
import { isBusy } from '../store/generation.ts';
import { focusWords } from '../store/recipe.ts';
import { Field } from './Field.tsx';
import { Fold } from './Fold.tsx';
import { GridDialog } from './Later.tsx';
import { Icon } from './icons.tsx';
import { Mixing } from './Mixing.tsx';
import { Problems } from './Problems.tsx';
import { PromptBox } from './PromptBox.tsx';
import { Results } from './Results.tsx';
import { SelectField } from './SelectField.tsx';
import { useActions, useStudio } from './useStudio.ts';

const MOST_SUGGESTIONS = 8;
const COUNTS = [1, 2, 4, 6, 8] as const;

/** A suggestion with {} is a whole prompt; any other is words to add to the one there is. */
function suggest(prompt: string, suggestion: string): string {
  return suggestion.includes('{}') || prompt.trim() === '' ? suggestion : `${prompt.trimEnd()} ${suggestion}`;
}

/** A few from the whole list: places lie beside places in it, treatments beside treatments. */
const spread = (all: readonly string[]) =>
  all.filter((_, index) => index % Math.ceil(all.length / MOST_SUGGESTIONS) === 0);

const inShort = (suggestion: string) => suggestion.replace(/^A photo of \{\}/, '…').replace('{}', '…');

function Suggestions() {
  const actions = useActions();
  const prompt = useStudio((state) => state.form.prompt);
  const suggestions = useStudio((state) => state.base?.vocabulary.suggestions ?? []);
  const fresh = spread(suggestions.filter((each) => !prompt.includes(each)));
  return fresh.length === 0 ? null : (
    <div className="chips chips-line" role="group" aria-label="Ideas">
      {fresh.map((each) => (
        <button
          type="button"
          className="suggestion"
          title={each}
          key={each}
          onClick={() => actions().edit({ prompt: suggest(prompt, each) })}
        >
          {inShort(each)}
        </button>
      ))}
    </div>
  );
}

const countOptions = COUNTS.map((count) => ({ value: `${count}`, label: `${count}` }));

function Count() {
  const actions = useActions();
  const count = useStudio((state) => state.form.count);
  return (
    <SelectField
      label="Pictures"
      className="field-count"
      value={`${count}`}
      options={countOptions}
      onChoose={(value) => actions().edit({ count: Number(value) })}
    />
  );
}

const samplerOptions = samplerNames.map((value) => ({ value, label: samplers[value].label }));

function Sampler() {
  const actions = useActions();
  const chosen = useStudio((state) => state.form.sampler);
  const choose = (value: string) => {
    const sampler = samplerNames.find((each) => each === value);
    if (sampler !== undefined) actions().edit({ sampler });
  };
  return <SelectField label="Sampler" value={chosen} options={samplerOptions} onChoose={choose} />;
}

interface NarrowedProps {
  readonly children: string;
  readonly undo: string;
  readonly onUndo: () => void;
}

/** What pictures show of the concept when that is not all of it as it is, taken over from another picture. */
function Narrowed({ children, undo, onUndo }: NarrowedProps) {
  return (
    <p className="form-narrowed">
      {children}
      <button type="button" className="link-button" onClick={onUndo}>
        {undo}
      </button>
    </p>
  );
}

function NarrowedConcept() {
  const actions = useActions();
  const { conceptId, focus, trainedStep } = useStudio((state) => state.form);
  if (conceptId === null) return null;
  return (
    <>
      {focus && (
        <Narrowed undo="Show all of the concept" onUndo={() => actions().edit({ focus: null })}>
          {`In focus: ${focusWords(focus, 'the category word')}`}
        </Narrowed>
      )}
      {trainedStep !== null && (
        <Narrowed undo="Show it as it is" onUndo={() => actions().edit({ trainedStep: null })}>
          {`The concept as it was at training step ${trainedStep}`}
        </Narrowed>
      )}
    </>
  );
}

function Grid() {
  const [opened, setOpened] = useState(false);
  return (
    <>
      <button type="button" className="link-button fold-trigger grid-open" onClick={() => setOpened(true)}>
        <Icon name="grid" />
        Draw many in a grid
      </button>
      {opened && <GridDialog onClose={() => setOpened(false)} />}
    </>
  );
}

const OPTION_FIELDS = ['steps', 'guidanceScale', 'sampler'] as const;

function Choices() {
  const busy = useStudio(isBusy);
  return (
    <>
      <div className="field-row create-row">
        <Field field="negativePrompt" label="Negative prompt" placeholder="nothing" />
        <Field field="seed" label="Seed" placeholder="any" numeric />
        <Count />
        <button type="submit" className="button button-primary" disabled={busy}>
          Generate
        </button>
      </div>
      <NarrowedConcept />
      <Mixing />
      <Fold label="Steps, guidance, sampler" fields={OPTION_FIELDS}>
        <div className="field-row">
          <Field field="steps" label="Sampling steps" numeric />
          <Field field="guidanceScale" label="Guidance" numeric />
          <Sampler />
        </div>
      </Fold>
      <Grid />
    </>
  );
}

export function CreatePanel() {
  const actions = useActions();
  return (
    <section className="panel panel-create" aria-labelledby="create-heading">
      <h2 id="create-heading">
        <span className="step">3</span> Create
      </h2>
      <form
        className="create-form"
        onSubmit={(event) => {
          event.preventDefault();
          void actions().generate();
        }}
      >
        <PromptBox />
        <Suggestions />
        <Choices />
      </form>
      <Problems place="create" />
      <Results />
    </section>
  );
}
