/** Style mixing: the geometry of one concept with the appearance of another, and how much of each. */
import { isBusy } from '../store/generation.ts';
import { isUsable } from '../store/openBase.ts';
import { Fold } from './Fold.tsx';
import { LabelledSlider } from './LabelledSlider.tsx';
import { SelectField } from './SelectField.tsx';
import { useActions, useStudio } from './useStudio.ts';

interface ConceptChoiceProps {
  readonly label: string;
  readonly chosen: string | null;
  readonly onChoose: (id: string | null) => void;
}

function ConceptChoice({ label, chosen, onChoose }: ConceptChoiceProps) {
  const concepts = useStudio((state) => state.concepts.filter((each) => isUsable(state, each)));
  const options = concepts.map(({ id, name }) => ({ value: id, label: name }));
  return (
    <SelectField
      label={label}
      value={chosen ?? ''}
      options={[{ value: '', label: 'none' }, ...options]}
      onChoose={(id) => onChoose(id || null)}
    />
  );
}

function mixingWords(start: number): string {
  if (start === 0) return 'As much of the appearance as there can be';
  if (start === 100) return 'The geometry concept alone';
  return start < 50 ? 'More of the appearance' : 'More of the geometry concept';
}

function StartSlider() {
  const actions = useActions();
  const start = useStudio((state) => state.form.mixingStart);
  return (
    <LabelledSlider
      className="mixing-start"
      label="Mixing start"
      step={5}
      largeStep={20}
      value={start}
      onValue={(mixingStart) => actions().edit({ mixingStart })}
      shown={`${start} %`}
      spoken={(value) => `${value} % of the way`}
      words={mixingWords}
    />
  );
}

function MixingChoices() {
  const actions = useActions();
  const [geometry, appearance] = useStudio(({ form }) => [form.conceptId, form.appearanceId]);
  const busy = useStudio(isBusy);
  const isMixed = geometry !== null && appearance !== null && geometry !== appearance;
  return (
    <>
      <div className="field-row">
        <ConceptChoice
          label="Geometry concept"
          chosen={geometry}
          onChoose={(id) => actions().selectConcept(id)}
        />
        <ConceptChoice
          label="Appearance concept"
          chosen={appearance}
          onChoose={(appearanceId) => actions().edit({ appearanceId })}
        />
      </div>
      {geometry !== null && geometry === appearance && (
        <p className="quiet">Both are the same concept: nothing is mixed.</p>
      )}
      {isMixed && (
        <>
          <StartSlider />
          <button
            type="button"
            className="button"
            disabled={busy}
            onClick={() => void actions().sweepMixing()}
          >
            Show the whole range
          </button>
        </>
      )}
    </>
  );
}

export function Mixing() {
  const count = useStudio((state) => state.concepts.length);
  return (
    <Fold label="Mix two concepts">
      {count < 2 ? (
        <p className="quiet">
          The shape of one concept with the looks of another: teach or import a second concept to mix two.
        </p>
      ) : (
        <MixingChoices />
      )}
    </Fold>
  );
}
