/** What a single file of a model leaves open, guessed until its owner says: with another answer all its pictures are noise. */
import type { PredictionGuess } from '../intake/plan.ts';
import { optionsOf, SelectField } from './SelectField.tsx';
import { useActions } from './useStudio.ts';

const PREDICTIONS = { epsilon: 'noise', v_prediction: 'v' } satisfies Record<
  PredictionGuess['prediction'],
  string
>;
const RESOLUTIONS = [512, 768];

export function ModelGuess({ guess, disabled }: { guess: PredictionGuess; disabled: boolean }) {
  const actions = useActions();
  const tell = (told: Partial<PredictionGuess>) =>
    void actions().answerModel({ guess: { ...guess, ...told } });
  const sides = [...new Set([guess.resolution, ...RESOLUTIONS])].sort((a, b) => a - b);
  const resolutions = sides.map((side) => ({ value: `${side}`, label: `${side} × ${side} pixels` }));
  return (
    <div className="field-row">
      <SelectField
        label="It predicts"
        value={guess.prediction}
        options={optionsOf(PREDICTIONS)}
        disabled={disabled}
        onChoose={(prediction) => tell({ prediction: prediction as keyof typeof PREDICTIONS })}
      />
      <SelectField
        label="For pictures of"
        value={`${guess.resolution}`}
        options={resolutions}
        disabled={disabled}
        onChoose={(side) => tell({ resolution: Number(side) })}
      />
    </div>
  );
}
