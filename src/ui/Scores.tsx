/** What the judge says of a picture: two bars with a plain sentence each. */
import { Meter } from '@base-ui/react/meter';
import type { ResultRecord } from '../store/state.ts';

interface ScoreProps {
  readonly label: string;
  readonly meaning: string;
  readonly value: number;
}

function Score({ label, meaning, value }: ScoreProps) {
  // A cosine below 0 is as bad as 0 to a reader.
  const shown = Math.max(0, value);
  return (
    <Meter.Root className="score" min={0} max={1} value={shown} format={{ maximumFractionDigits: 2 }}>
      <Meter.Label className="score-label">{label}</Meter.Label>
      <Meter.Value className="score-value">{() => value.toFixed(2)}</Meter.Value>
      <Meter.Track className="score-track">
        <Meter.Indicator className="score-fill" />
      </Meter.Track>
      <p className="score-meaning">{meaning}</p>
    </Meter.Root>
  );
}

/** Nothing until the judge has looked. */
export function Scores({ result }: { result: ResultRecord }) {
  const { scores, conceptName } = result;
  if (scores === null) return null;
  return (
    <section className="scores" aria-label="Scores">
      {scores.likeness !== null && (
        <Score
          label="Likeness"
          meaning={`How much the thing in it looks like your pictures of ${conceptName}; 1 is the very same.`}
          value={scores.likeness}
        />
      )}
      <Score
        label="Fit to the prompt"
        meaning="How well the picture fits the words of the prompt; 1 is a perfect fit."
        value={scores.prompt}
      />
    </section>
  );
}
