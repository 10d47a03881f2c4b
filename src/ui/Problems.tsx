/** Problems and notes where they arose, each with a way to put it away. */
import type { ReactNode } from 'react';
import type { ProblemPlace } from '../store/state.ts';
import { Icon } from './icons.tsx';
import { Isolated } from './Isolated.tsx';
import { useActions, useStudio } from './useStudio.ts';

export function Problems({ place, children }: { place: ProblemPlace; children?: ReactNode }) {
  const actions = useActions();
  const problems = useStudio((state) => state.problems[place]);
  return (
    <div className="problems" role="alert">
      {problems.map(({ id, tone, message }) => (
        <div className={`problem problem-${tone}`} key={id}>
          {tone === 'error' && <Icon name="warn" />}
          <p>
            <Isolated text={message} />
          </p>
          <button
            type="button"
            className="icon-button"
            aria-label="Dismiss message"
            onClick={() => actions().dismiss(place, id)}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
      {problems.length > 0 && children}
    </div>
  );
}
