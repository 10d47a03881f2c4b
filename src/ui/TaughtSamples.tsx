/** Concepts that ship taught, each with a picture that it drew: one click draws with it, before anything is trained. */
import { useState } from 'react';
import type { SampleConcept } from '../store/state.ts';
import { taughtSamples } from '../store/taughtSamples.ts';
import { useActions, useStudio } from './useStudio.ts';

interface CardProps {
  readonly sample: SampleConcept;
  readonly busy: boolean;
  readonly choose: () => void;
}

function Card({ sample: { name, credit, taught }, busy, choose }: CardProps) {
  const scene = taught?.prompt.replace('{}', name) ?? '';
  return (
    <li>
      <button
        type="button"
        className="taught"
        aria-label={`Draw with ${name}: ${scene}`}
        title={credit}
        disabled={busy}
        onClick={choose}
      >
        <img src={taught?.drawn} alt="" loading="lazy" />
        <span className="taught-name">{name}</span>
        <span className="taught-scene">{scene}</span>
      </button>
    </li>
  );
}

export function TaughtSamples() {
  const actions = useActions();
  const samples = useStudio(taughtSamples);
  const drawing = useStudio((state) => state.generation !== null);
  const [opening, setOpening] = useState(false);
  const choose = async (sample: SampleConcept) => {
    setOpening(true);
    await actions().drawWithSample(sample);
    setOpening(false);
  };
  return (
    <div className="taught-samples">
      <h3>These are taught already. Press one to draw with it</h3>
      <ul aria-label="Taught samples">
        {samples.map((sample) => (
          <Card
            key={sample.name}
            sample={sample}
            busy={opening || drawing}
            choose={() => void choose(sample)}
          />
        ))}
      </ul>
    </div>
  );
}
