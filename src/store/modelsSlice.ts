/**
 * The user's own models: asking a source what it has, looking at that, fetching with pause and resume, choosing which base
 * is open, and removing. Nothing is fetched before it was offered.
 */
import type { IntakeProgress, ModelOffer, ModelSourceRequest } from '../worker/api.ts';
import type { Context } from './context.ts';
import type { Intake, ModelsSlice } from './state.ts';
import { fileSize } from '../lib/numbers.ts';

export function createModelsSlice({ deps, get, set, messages }: Context): ModelsSlice {
  let controller = new AbortController();

  async function loadModels(): Promise<void> {
    try {
      set({ shelf: await deps.client.models() });
    } catch (error) {
      messages.report('models', error);
    }
  }

  /** Asks for an offer; `phase` after a failure is what it was before. */
  async function offer(ask: (signal: AbortSignal) => Promise<ModelOffer>): Promise<void> {
    messages.clear('models');
    controller = new AbortController();
    const { signal } = controller;
    set({ intake: { phase: 'planning' } });
    try {
      const found = await ask(signal);
      if (!signal.aborted) set({ intake: { phase: 'offered', offer: found } });
    } catch (error) {
      if (signal.aborted) return;
      set({ intake: null });
      messages.report('models', error);
    }
  }

  function follow(progress: IntakeProgress): void {
    const { intake } = get();
    if (intake?.phase !== 'fetching') return;
    const done = progress.status === 'done' ? [...intake.done, progress.file] : intake.done;
    set({ intake: { ...intake, progress, done } });
  }

  async function fetchOffered(found: ModelOffer): Promise<void> {
    messages.clear('models');
    controller = new AbortController();
    const { signal } = controller;
    set({ intake: { phase: 'fetching', offer: found, progress: null, done: [] } });
    // Whatever the browser answers: without its promise the model is kept as long as there is room.
    await deps.storage.persist().catch(() => false);
    try {
      await deps.client.fetchModel(found.plan, { signal, onEvent: follow });
    } catch (error) {
      if (signal.aborted) return;
      set({ intake: { phase: 'paused', offer: found } });
      messages.report('models', error);
      return loadModels();
    }
    if (!signal.aborted) await arrived(found);
  }

  async function arrived({ plan }: ModelOffer): Promise<void> {
    set({ intake: null });
    messages.announce(`${plan.title} is here: ${fileSize(plan.totalBytes)}.`);
    await loadModels();
    const { training, generation } = get();
    if (training === null && generation === null) await get().openModel(plan.id);
    await get().measureUsage();
  }

  function stop(next: (offer: ModelOffer) => Intake | null): ModelOffer | null {
    const { intake } = get();
    controller.abort();
    const found = intake === null || intake.phase === 'planning' ? null : intake.offer;
    set({ intake: found && next(found) });
    return found;
  }

  async function remove(id: string): Promise<void> {
    messages.clear('models');
    try {
      if (get().base?.keptId === id || get().form.model === id) await get().openModel(null);
      await deps.client.removeModel(id);
    } catch (error) {
      messages.report('models', error);
    }
    await Promise.all([loadModels(), get().measureUsage()]);
  }

  return {
    shelf: null,
    intake: null,
    loadModels,
    planModel: (request: ModelSourceRequest) => offer((signal) => deps.client.planModel(request, { signal })),
    resumeModel: (id) => offer(() => deps.client.resumeModel(id)),
    async fetchModel() {
      const { intake } = get();
      if (intake?.phase === 'offered' || intake?.phase === 'paused') await fetchOffered(intake.offer);
    },
    async pauseFetch() {
      stop((found) => ({ phase: 'paused', offer: found }));
      await loadModels();
    },
    async dropIntake() {
      const begun = get().intake?.phase === 'fetching' || get().intake?.phase === 'paused';
      const found = stop(() => null);
      messages.clear('models');
      if (begun && found) await remove(found.plan.id);
    },
    async openModel(id) {
      if (id === (get().base?.keptId ?? null) && id === get().form.model && get().status === 'ready') return;
      get().edit({ model: id });
      await get().reopen();
    },
    removeModel: remove,
  };
}
