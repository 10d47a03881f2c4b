/** Sample concepts that ship with the base model, one click away. */
import type { SampleConcept } from '../store/state.ts';
import { useActions, useStudio } from './useStudio.ts';

function Sample({ sample }: { sample: SampleConcept }) {
  const actions = useActions();
  return (
    <li>
      <button
        type="button"
        className="sample"
        aria-label={`Take the pictures of ${sample.name}`}
        title={sample.credit}
        onClick={() => void actions().addSample(sample)}
      >
        <img src={sample.pictures[0]} alt="" loading="lazy" />
        <span className="sample-name">{sample.name}</span>
      </button>
    </li>
  );
}

export function Samples() {
  const samples = useStudio((state) => state.base?.samples ?? []);
  return samples.length === 0 ? null : (
    <div className="samples">
      <h3>Or try one of these</h3>
      <ul aria-label="Samples">
        {samples.map((sample) => (
          <Sample key={sample.name} sample={sample} />
        ))}
      </ul>
    </div>
  );
}
