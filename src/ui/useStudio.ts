/** The page's access to the store: a React context around the zustand store that main.tsx makes. */
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import { useShallow } from 'zustand/react/shallow';
import type { StudioState } from '../store/state.ts';
import type { StudioStore } from '../store/studioStore.ts';

export const StudioContext = createContext<StudioStore | null>(null);

function useStudioStore(): StudioStore {
  const store = useContext(StudioContext);
  if (store === null)
    throw new Error('StudioContext is empty: wrap the page in <StudioContext value={store}>.');
  return store;
}

/** Selects from the state; renders again when the selection changes (compared one level deep). */
export function useStudio<Selection>(select: (state: StudioState) => Selection): Selection {
  return useStore(useStudioStore(), useShallow(select));
}

/** The actions and the state as it is now, for handlers. */
export function useActions(): () => StudioState {
  return useStudioStore().getState;
}
