/** Puts the page together: service worker, worker client, storage, store, React. */
import { CSPProvider } from '@base-ui/react/csp-provider';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { trustOwnScripts } from './lib/trustedTypes.ts';
import { goOffline } from './offline/offline.ts';
import { openStorage } from './storage/storage.ts';
import { browserDeps, pageRoot } from './store/environment.ts';
import { createStudioStore } from './store/studioStore.ts';
import { App } from './ui/App.tsx';
import { fetchLaterParts } from './ui/Later.tsx';
import { StudioContext } from './ui/useStudio.ts';
import { createStudioClient } from './worker/client.ts';

trustOwnScripts();

const updates = await goOffline(pageRoot());
const store = createStudioStore(browserDeps(createStudioClient(), await openStorage(), updates));

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <StudioContext value={store}>
      <CSPProvider disableStyleElements>
        <App />
      </CSPProvider>
    </StudioContext>
  </StrictMode>,
);

void store.getState().start().then(fetchLaterParts);
