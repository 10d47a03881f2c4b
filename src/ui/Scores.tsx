/** What the judge says of a picture: two bars with a plain sentence each. */
import { Meter } from '@base-ui/react/meter';
import { conceptNames } from '../store/recipe.ts';
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

const likenessMeans = (name: string) =>
  `How much the thing in it looks like your pictures of ${name}; 1 is the very same.`;

/** Nothing until the judge has looked. */
export function Scores({ result }: { result: ResultRecord }) {
  const { scores } = result;
  if (scores === null) return null;
  return (
    <section className="scores" aria-label="Scores">
      {scores.likeness !== null && scores.each.length === 0 && (
        <Score label="Likeness" meaning={likenessMeans(conceptNames(result))} value={scores.likeness} />
      )}
      {scores.each.map(({ name, likeness }) => (
        <Score key={name} label={`Likeness to ${name}`} meaning={likenessMeans(name)} value={likeness} />
      ))}
      <Score
        label="Fit to the prompt"
        meaning="How well the picture fits the words of the prompt; 1 is a perfect fit."
        value={scores.prompt}
      />
    </section>
  );
}
