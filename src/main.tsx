/** Puts the page together: worker client, storage, store, React. */
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { openStorage } from './storage/storage.ts';
import { browserDeps } from './store/environment.ts';
import { createStudioStore } from './store/studioStore.ts';
import { App } from './ui/App.tsx';
import { StudioContext } from './ui/useStudio.ts';
import { createStudioClient } from './worker/client.ts';

const store = createStudioStore(browserDeps(createStudioClient(), await openStorage()));

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <StudioContext value={store}>
      <App />
    </StudioContext>
  </StrictMode>,
);

void store.getState().start();
