/** Opening the base model: progress, which engine runs it and why, what is stored, and coming back from failures. */
import { toPlainError } from '../lib/errors.ts';
import type { Context } from './context.ts';
import { adoptDefaults, usableChoice } from './openBase.ts';
import { followConcepts, restore } from './persistence.ts';
import { fillInWords } from './saving.ts';
import type { EngineSlice } from './state.ts';

export function createEngineSlice(context: Context): EngineSlice {
  const { deps, get, set, messages } = context;
  let latest = 0;
  let controller = new AbortController();

  async function open(): Promise<void> {
    const mine = ++latest;
    const current = () => mine === latest;
    controller.abort();
    controller = new AbortController();
    messages.clear('page');
    set({ status: 'opening', loading: null });
    try {
      const opened = await deps.client.open(
        { root: deps.root, provider: get().form.provider, model: get().form.model },
        { signal: controller.signal, onEvent: (loading) => current() && set({ loading }) },
      );
      if (!current()) return;
      set({ ...opened, status: 'ready', loading: null });
      get().edit({ ...usableChoice(get()), ...adoptDefaults(get().form, opened.base.defaults) });
      messages.announce('The studio is ready.');
      await fillInWords(context);
    } catch (error) {
      if (!current() || toPlainError(error).code === 'cancelled') return;
      set({ status: 'failed', loading: null, engine: null });
      messages.report('page', error);
    }
  }

  /** Only an engine that had opened is opened again: one that dies while opening would do so for ever. */
  async function recover(reason: string): Promise<void> {
    if (get().status !== 'ready') return;
    await open();
    if (get().status === 'ready')
      messages.note(
        'page',
        'engine.restarted',
        `${reason} It was started again. Nothing that was kept is lost.`,
      );
  }

  function noteStorage(): void {
    if (deps.storage.blocked !== null)
      messages.note('library', deps.storage.blocked.code, deps.storage.blocked.message);
  }

  return {
    status: 'opening',
    loading: null,
    engine: null,
    base: null,
    usage: null,
    async start() {
      deps.client.onDeath((reason) => void recover(reason));
      noteStorage();
      deps.storage.onConceptsChanged(
        () => void followConcepts(context).catch((error: unknown) => messages.report('library', error)),
      );
      await restore(context);
      await Promise.all([open(), get().measureUsage(), get().loadModels()]);
    },
    reopen: open,
    async cancelOpening() {
      get().edit({ model: null });
      await open();
    },
    async chooseProvider(provider) {
      get().edit({ provider });
      await open();
    },
    async measureUsage() {
      set({ usage: await deps.storage.usage().catch(() => null) });
    },
  };
}
