/** A slider with its name and value above it and, below, what the value means in words. */
import { Slider } from '@base-ui/react/slider';
import type { ComponentProps, ReactNode } from 'react';

interface LabelledSliderProps extends Pick<
  ComponentProps<typeof Slider.Root>,
  'className' | 'min' | 'max' | 'step' | 'largeStep' | 'disabled'
> {
  readonly label: string;
  readonly value: number;
  readonly onValue: (value: number) => void;
  /** The value as it is shown. */
  readonly shown?: string;
  /** What a screen reader says of a value, before its words. */
  readonly spoken: (value: number) => string;
  readonly words: (value: number) => string;
  /** Stands between the slider and its words. */
  readonly children?: ReactNode;
  /** Stands below its words. */
  readonly below?: ReactNode;
}

export function LabelledSlider(props: LabelledSliderProps) {
  const { label, value, onValue, shown = `${value}`, spoken, words, children, below, ...range } = props;
  return (
    <Slider.Root value={value} onValueChange={(next: number) => onValue(next)} {...range}>
      <div className="slider-top">
        <span className="slider-label" aria-hidden="true">
          {label}
        </span>
        <Slider.Value className="slider-value">{() => shown}</Slider.Value>
      </div>
      <Slider.Control className="slider">
        <Slider.Track className="slider-track">
          <Slider.Indicator className="slider-fill" />
          <Slider.Thumb
            className="slider-thumb"
            getAriaLabel={() => label}
            getAriaValueText={(_, next) => `${spoken(next)}. ${words(next)}`}
          />
        </Slider.Track>
      </Slider.Control>
      {children}
      <p className="slider-words">{words(value)}</p>
      {below}
    </Slider.Root>
  );
}
