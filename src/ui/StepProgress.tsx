/** How far the drawing of pictures is, and a way to end it. */
import type { GenerationState } from '../store/state.ts';
import { duration } from '../store/words.ts';

export function StepProgress({ state, onCancel }: { state: GenerationState; onCancel: () => void }) {
  const { phase, step, steps, secondsLeft } = state;
  const left = secondsLeft === null ? '' : `, ${duration(secondsLeft)} left`;
  return (
    <div className="making">
      <span className="making-bar" style={{ inlineSize: `${(100 * step) / steps}%` }} />
      <span>{phase === 'waiting' ? 'Getting ready…' : `Step ${step} of ${steps}${left}`}</span>
      <button type="button" className="link-button" onClick={onCancel}>
        Cancel
      </button>
    </div>
  );
}
