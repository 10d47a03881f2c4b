/** Opening the base model: progress, which engine runs it and why, what is stored, and coming back from failures. */
import { toPlainError } from '../lib/errors.ts';
import type { Opened } from '../worker/api.ts';
import type { Context } from './context.ts';
import { adoptDefaults, usableChoice } from './openBase.ts';
import { followConcepts, restore } from './persistence.ts';
import { rescue } from './rescue.ts';
import { fillInWords } from './saving.ts';
import type { EngineSlice } from './state.ts';
import type { Provider } from '../ort/runtime.ts';

interface EngineContext extends Context {
  /** Cancels the opening under way; a new one for each opening. */
  readonly opening: { controller: AbortController };
}

export function createEngineSlice(context: Context): EngineSlice {
  const engine: EngineContext = { ...context, opening: { controller: new AbortController() } };
  return {
    restored: false,
    status: 'opening',
    loading: null,
    engine: null,
    base: null,
    usage: null,
    start: () => start(engine),
    reopen: () => open(engine),
    cancelOpening: () => cancelOpening(engine),
    chooseProvider: (provider) => chooseProvider(engine, provider),
    measureUsage: () => measureUsage(context),
  };
}

async function start(context: EngineContext): Promise<void> {
  const { deps, get, messages } = context;
  deps.client.onDeath((reason) => void recover(context, reason));
  if (deps.storage.blocked !== null)
    messages.note('library', deps.storage.blocked.code, deps.storage.blocked.message);
  deps.storage.onConceptsChanged(
    () => void followConcepts(context).catch((error: unknown) => messages.report('library', error)),
  );
  deps.storage.onLost(() => void rescue(context));
  await restore(context);
  await Promise.all([open(context), get().measureUsage(), get().loadModels()]);
}

/** Opens the chosen model on the chosen engine; an opening that was under way gives way. */
async function open(context: EngineContext): Promise<void> {
  const { deps, get, set, messages, opening } = context;
  opening.controller.abort();
  opening.controller = new AbortController();
  const { signal } = opening.controller;
  messages.clear('page');
  set({ status: 'opening', loading: null });
  try {
    const { provider, model } = get().form;
    const opened = await deps.client.open(
      { root: deps.root, provider, model },
      { signal, onEvent: (loading) => !signal.aborted && set({ loading }) },
    );
    if (!signal.aborted) await adopt(context, opened);
  } catch (error) {
    if (signal.aborted || toPlainError(error).code === 'cancelled') return;
    set({ status: 'failed', loading: null, engine: null });
    messages.report('page', error);
  }
}

async function adopt(context: EngineContext, opened: Opened): Promise<void> {
  const { get, set, messages } = context;
  set({ ...opened, status: 'ready', loading: null });
  get().edit({ ...usableChoice(get()), ...adoptDefaults(get().form, opened.base.defaults) });
  messages.announce('The studio is ready.');
  await fillInWords(context);
}

/** Only an engine that had opened is opened again: one that dies while opening would do so for ever. */
async function recover(context: EngineContext, reason: string): Promise<void> {
  const { get, messages } = context;
  if (get().status !== 'ready') return;
  await open(context);
  if (get().status === 'ready')
    messages.note(
      'page',
      'engine.restarted',
      `${reason} It was started again. Nothing that was kept is lost.`,
    );
}

async function cancelOpening(context: EngineContext): Promise<void> {
  context.get().edit({ model: null });
  await open(context);
}

async function chooseProvider(context: EngineContext, provider: Provider | 'auto'): Promise<void> {
  context.get().edit({ provider });
  await open(context);
}

async function measureUsage({ deps, set }: Context): Promise<void> {
  set({ usage: await deps.storage.usage().catch(() => null) });
}
