/** A new version of the page, taken when the user says so. */
import { useActions, useStudio } from './useStudio.ts';

export function UpdateNotice() {
  const actions = useActions();
  const ready = useStudio((state) => state.updateReady);
  const busy = useStudio((state) => state.training !== null || state.generation !== null);
  if (!ready) return null;
  return (
    <div className="update-notice">
      <p>A new version of the studio is ready.</p>
      <button type="button" className="button" disabled={busy} onClick={() => void actions().applyUpdate()}>
        {busy ? 'Reload when this is done' : 'Reload'}
      </button>
    </div>
  );
}
