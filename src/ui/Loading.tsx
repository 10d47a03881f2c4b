/** Opening the base model, or why that failed and how to try again. */
import { Progress } from '@base-ui/react/progress';
import { fileSize } from '../store/words.ts';
import { Problems } from './Problems.tsx';
import { useActions, useStudio } from './useStudio.ts';

function Opening() {
  const loading = useStudio((state) => state.loading);
  const text =
    loading === null || loading.total === 0
      ? 'Opening the model…'
      : `Opening the model: ${fileSize(loading.loaded)} of ${fileSize(loading.total)}`;
  return (
    <Progress.Root
      className="progress loading"
      aria-label="Opening the model"
      value={loading === null ? null : loading.loaded}
      max={loading?.total || 1}
    >
      <span className="progress-text quiet">{text}</span>
      <Progress.Track className="progress-track">
        <Progress.Indicator className="progress-fill" />
      </Progress.Track>
    </Progress.Root>
  );
}

export function Loading() {
  const actions = useActions();
  const status = useStudio((state) => state.status);
  return (
    <div className="loading-area">
      {status === 'opening' && <Opening />}
      <Problems place="page">
        {status === 'failed' && (
          <button type="button" className="button" onClick={() => void actions().reopen()}>
            Try again
          </button>
        )}
      </Problems>
    </div>
  );
}
