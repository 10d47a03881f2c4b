/** The truncation of the chosen picture, from a loose idea to an exact likeness on the same seed, with what it means in words. */
import { chosenConcepts, isPlain } from '../store/pictureConcepts.ts';
import { seriesOf } from '../store/truncationSeries.ts';
import { plainWords, truncationWords } from '../store/words.ts';
import { LabelledSlider } from './LabelledSlider.tsx';
import { useActions, useStudio } from './useStudio.ts';

export function TruncationSlider() {
  const actions = useActions();
  const truncation = useStudio((state) => state.form.truncation);
  const plain = useStudio(
    (state) => isPlain(chosenConcepts(state)) && seriesOf(state, state.chosenResultId) === null,
  );
  return (
    <LabelledSlider
      className="truncation"
      label="Truncation"
      min={1}
      max={128}
      largeStep={16}
      value={truncation}
      disabled={plain}
      onValue={(value) => actions().setTruncation(value)}
      spoken={(value) => `${value} of 128`}
      words={plain ? () => plainWords : truncationWords}
    >
      <div className="slider-ends" aria-hidden="true">
        <span>loose idea</span>
        <span>exact likeness</span>
      </div>
    </LabelledSlider>
  );
}
