/** Opening the base model (shown in the header), or why that failed and how to try again. */
import { Progress } from '@base-ui/react/progress';
import { fileSize } from '../lib/numbers.ts';
import { Problems } from './Problems.tsx';
import { useActions, useStudio } from './useStudio.ts';

export function Opening() {
  const loading = useStudio((state) => state.loading);
  const downloading = loading !== null && loading.loaded < loading.total;
  const preparing = loading?.status === 'prepare';
  const own = useStudio((state) => state.form.model !== null);
  const actions = useActions();
  const text = preparing
    ? `Preparing the model for training, once: ${loading.part}, part ${loading.loaded + 1} of ${loading.total}`
    : downloading
      ? `Fetching the model: ${fileSize(loading.loaded)} of ${fileSize(loading.total)}`
      : 'Opening the model…';
  return (
    <>
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
      {own && (
        <button type="button" className="link-button" onClick={() => void actions().cancelOpening()}>
          Cancel
        </button>
      )}
    </>
  );
}

export function Loading() {
  const actions = useActions();
  const status = useStudio((state) => state.status);
  const own = useStudio((state) => state.form.model !== null);
  return (
    <div className="loading-area">
      <Problems place="page">
        {status === 'failed' && (
          <div className="loading-ways">
            <button type="button" className="button" onClick={() => void actions().reopen()}>
              Try again
            </button>
            {own && (
              <button type="button" className="button" onClick={() => void actions().openModel(null)}>
                Open the model that comes with this page
              </button>
            )}
          </div>
        )}
      </Problems>
    </div>
  );
}
