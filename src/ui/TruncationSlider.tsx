/** The truncation of the chosen picture, from a loose idea to an exact likeness on the same seed, with what it means in words. */
import { isSliderIdle, sliderUnits } from '../store/truncationSeries.ts';
import { PLAIN_WORDS, truncationWords } from '../store/words.ts';
import { LabelledSlider } from './LabelledSlider.tsx';
import { SweepTruncation } from './Sweeps.tsx';
import { useActions, useStudio } from './useStudio.ts';

export function TruncationSlider() {
  const actions = useActions();
  const truncation = useStudio((state) => state.form.truncation);
  const hidden = useStudio(sliderUnits);
  const idle = useStudio(isSliderIdle);
  return (
    <LabelledSlider
      className="truncation"
      label="Truncation"
      min={1}
      max={hidden}
      largeStep={Math.max(1, Math.round(hidden / 8))}
      value={Math.min(truncation, hidden)}
      disabled={idle}
      onValue={(value) => actions().setTruncation(value)}
      spoken={(value) => `${value} of ${hidden}`}
      words={(value) => (idle ? PLAIN_WORDS : truncationWords(value, hidden))}
      below={<SweepTruncation />}
    >
      <div className="slider-ends" aria-hidden="true">
        <span>loose idea</span>
        <span>exact likeness</span>
      </div>
    </LabelledSlider>
  );
}
