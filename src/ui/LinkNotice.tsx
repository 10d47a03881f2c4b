/** A link to this page may name a concept at another address: nothing is fetched before somebody says so. */
import { useEffect } from 'react';
import { useActions, useStudio } from './useStudio.ts';

/** What the page's address names, now and when it changes; then it is taken out of the address, so that a reload does not ask again. */
function useNamedAddress(): void {
  const actions = useActions();
  useEffect(() => {
    const look = () => {
      if (!location.hash.startsWith('#concept=')) return;
      actions().offerAddress(location.hash);
      history.replaceState(null, '', location.pathname + location.search);
    };
    look();
    window.addEventListener('hashchange', look);
    return () => window.removeEventListener('hashchange', look);
  }, [actions]);
}

export function LinkNotice() {
  useNamedAddress();
  const actions = useActions();
  const address = useStudio((state) => state.offeredAddress);
  const ready = useStudio((state) => state.status === 'ready');
  if (address === null) return null;
  return (
    <section className="link-notice" aria-label="A shared concept">
      <p>
        This link offers a concept at <bdi className="link-address">{address}</bdi>. Fetching it tells{' '}
        <bdi>{new URL(address).host}</bdi> that somebody asked for it; nothing else is sent.
      </p>
      <button
        type="button"
        className="button button-primary"
        disabled={!ready}
        onClick={() => void actions().answerAddress(true)}
      >
        Fetch the concept
      </button>
      <button type="button" className="button" onClick={() => void actions().answerAddress(false)}>
        No
      </button>
    </section>
  );
}
