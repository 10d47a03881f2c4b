/** The studio's store: every slice in one zustand store that knows nothing of React. */
import { createStore, type StoreApi } from 'zustand/vanilla';
import { createAttentionSlice } from './attentionSlice.ts';
import type { Context, StudioDeps } from './context.ts';
import { createCreateSlice } from './createSlice.ts';
import { createEngineSlice } from './engineSlice.ts';
import { createFormSlice } from './formSlice.ts';
import { createIncomingSlice } from './incomingSlice.ts';
import { createLibrarySlice } from './librarySlice.ts';
import { createMessages, createMessagesSlice } from './messagesSlice.ts';
import { createModelsSlice } from './modelsSlice.ts';
import { keepDraft } from './persistence.ts';
import { createPicturesSlice } from './picturesSlice.ts';
import { createSpaceTimeSlice } from './spaceTimeSlice.ts';
import type { StudioState } from './state.ts';
import { createUpdateSlice } from './updateSlice.ts';
import { createTrainingSlice } from './trainingSlice.ts';

export type StudioStore = StoreApi<StudioState>;

/** Makes the store; `start()` of its state loads what is stored and opens the base model. */
export function createStudioStore(deps: StudioDeps): StudioStore {
  let context: Context | null = null;
  const store = createStore<StudioState>()((set, get) => {
    const base = { deps, get, set };
    context = { ...base, messages: createMessages(base) };
    return {
      ...createMessagesSlice(context),
      ...createUpdateSlice(context),
      ...createFormSlice(context),
      ...createEngineSlice(context),
      ...createModelsSlice(context),
      ...createPicturesSlice(context),
      ...createIncomingSlice(context),
      ...createTrainingSlice(context),
      ...createLibrarySlice(context),
      ...createCreateSlice(context),
      ...createSpaceTimeSlice(context),
      ...createAttentionSlice(context),
    };
  });
  keepDraft(context!, store.subscribe);
  store.subscribe((state, previous) => {
    if (state.status === 'ready' && previous.status !== 'ready') void state.lookAtPictures();
  });
  return store;
}
