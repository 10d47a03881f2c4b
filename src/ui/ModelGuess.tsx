/** What a single file of a model leaves open, guessed until its owner says: with another answer all its pictures are noise. */
import { useId } from 'react';
import type { PredictionGuess } from '../intake/plan.ts';
import { useActions } from './useStudio.ts';

const PREDICTIONS = [
  ['epsilon', 'noise'],
  ['v_prediction', 'v'],
] as const satisfies readonly (readonly [PredictionGuess['prediction'], string])[];
const RESOLUTIONS = [512, 768];

interface ChoiceProps<T> {
  readonly label: string;
  readonly value: T;
  readonly choices: readonly (readonly [T, string])[];
  readonly disabled: boolean;
  readonly onChoose: (value: T) => void;
}

function Choice<T extends string | number>({ label, value, choices, disabled, onChoose }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        disabled={disabled}
        onChange={(event) => onChoose(choices[event.target.selectedIndex]![0])}
      >
        {choices.map(([each, words]) => (
          <option key={each} value={each}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

export function ModelGuess({ guess, disabled }: { guess: PredictionGuess; disabled: boolean }) {
  const actions = useActions();
  const tell = (told: Partial<PredictionGuess>) =>
    void actions().answerModel({ guess: { ...guess, ...told } });
  const sides = [...new Set([guess.resolution, ...RESOLUTIONS])].sort((a, b) => a - b);
  const resolutions = sides.map((side) => [side, `${side} × ${side} pixels`] as const);
  return (
    <div className="field-row">
      <Choice
        label="It predicts"
        value={guess.prediction}
        choices={PREDICTIONS}
        disabled={disabled}
        onChoose={(prediction) => tell({ prediction })}
      />
      <Choice
        label="For pictures of"
        value={guess.resolution}
        choices={resolutions}
        disabled={disabled}
        onChoose={(resolution) => tell({ resolution })}
      />
    </div>
  );
}
