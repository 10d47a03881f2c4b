/** The hero: from a loose idea to an exact likeness, on the same seed, in words as well as in the picture. */
import { Slider } from '@base-ui/react/slider';
import { chosenCast, isPlain } from '../store/order.ts';
import { sceneOf } from '../store/scene.ts';
import { likenessWords, plainWords } from '../store/words.ts';
import { useActions, useStudio } from './useStudio.ts';

export function TruncationSlider() {
  const actions = useActions();
  const truncation = useStudio((state) => state.form.truncation);
  const plain = useStudio(
    (state) => isPlain(chosenCast(state)) && sceneOf(state, state.chosenResultId) === null,
  );
  const words = plain ? plainWords : likenessWords(truncation);
  return (
    <Slider.Root
      className="likeness"
      min={1}
      max={128}
      largeStep={16}
      value={truncation}
      disabled={plain}
      onValueChange={(value) => actions().setTruncation(value)}
    >
      <div className="likeness-top">
        <span className="likeness-label" aria-hidden="true">
          Truncation
        </span>
        <Slider.Value className="likeness-value" />
      </div>
      <Slider.Control className="slider">
        <Slider.Track className="slider-track">
          <Slider.Indicator className="slider-fill" />
          <Slider.Thumb
            className="slider-thumb"
            getAriaLabel={() => 'Truncation'}
            getAriaValueText={(_, value) => `${value} of 128. ${plain ? plainWords : likenessWords(value)}`}
          />
        </Slider.Track>
      </Slider.Control>
      <div className="likeness-ends" aria-hidden="true">
        <span>loose idea</span>
        <span>exact likeness</span>
      </div>
      <p className="likeness-words">{words}</p>
    </Slider.Root>
  );
}
