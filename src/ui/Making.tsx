/** How far pictures are that are being made. */
import { StepProgress } from './StepProgress.tsx';
import { useActions, useStudio } from './useStudio.ts';

export function Making() {
  const actions = useActions();
  const generation = useStudio((state) => state.generation);
  if (generation === null) return null;
  return <StepProgress state={generation} onCancel={() => actions().cancelGeneration()} />;
}
