/**
 * The user's own models: asking a source what it has, looking at that, fetching with pause and resume, choosing which base
 * is open, and removing. Nothing is fetched before it was offered.
 */
import { fileSize } from '../lib/numbers.ts';
import type { ModelAnswer, ModelOffer, ModelSourceRequest } from '../worker/api.ts';
import type { Context } from './context.ts';
import type { Intake, ModelsSlice } from './state.ts';
import type { ModelAnswers } from '../intake/plan.ts';
import type { IntakeProgress } from '../intake/progress.ts';

interface ModelsContext extends Context {
  /** Cancels what is being asked for or fetched; a new one for each. */
  readonly running: { controller: AbortController };
}

export function createModelsSlice(context: Context): ModelsSlice {
  const models: ModelsContext = { ...context, running: { controller: new AbortController() } };
  const { client } = context.deps;
  return {
    modelList: null,
    knownModels: null,
    intake: null,
    loadModels: () => loadModels(context),
    loadKnownModels: () => loadKnownModels(context),
    planModel: (request) => planModel(models, request),
    answerModel: (answers) => answerModel(models, answers),
    resumeModel: (id) => ask(models, async () => offered(await client.resumeModel(id), null)),
    fetchModel: () => fetchModel(models),
    pauseFetch: () => pauseFetch(models),
    dropIntake: () => dropIntake(models),
    openModel: (id) => openModel(context, id),
    removeModel: (id) => removeModel(context, id),
  };
}

async function loadModels({ deps, set, messages }: Context): Promise<void> {
  try {
    set({ modelList: await deps.client.models() });
  } catch (error) {
    messages.report('models', error);
  }
}

async function loadKnownModels({ deps, set, messages }: Context): Promise<void> {
  try {
    set({ knownModels: await deps.client.knownModels() });
  } catch (error) {
    messages.report('models', error);
  }
}

function restart({ running, messages }: ModelsContext): AbortSignal {
  messages.clear('models');
  running.controller = new AbortController();
  return running.controller.signal;
}

function planModel(context: ModelsContext, request: ModelSourceRequest): Promise<void> {
  const { client } = context.deps;
  return ask(context, async (signal) => intakeOf(await client.planModel(request, { signal }), request));
}

function intakeOf(answer: ModelAnswer, request: ModelSourceRequest): Intake {
  return 'offer' in answer
    ? offered(answer.offer, request)
    : { phase: 'asking', request, question: answer.question };
}

const offered = (offer: ModelOffer, request: ModelSourceRequest | null): Intake => ({
  phase: 'offered',
  offer,
  request,
  isChanging: false,
});

async function answerModel(context: ModelsContext, answers: ModelAnswers): Promise<void> {
  const { intake } = context.get();
  const request = intake?.phase === 'asking' || intake?.phase === 'offered' ? intake.request : null;
  if (request) await planModel(context, { ...request, ...answers });
}

/** Asks what there is; after a failure there is nothing, and what was asked or offered before stays. */
async function ask(context: ModelsContext, look: (signal: AbortSignal) => Promise<Intake>): Promise<void> {
  const { get, set, messages } = context;
  const { intake: before } = get();
  const signal = restart(context);
  set({
    intake: before?.phase === 'offered' ? { ...before, isChanging: true } : { phase: 'planning' },
  });
  try {
    const found = await look(signal);
    if (!signal.aborted) set({ intake: found });
  } catch (error) {
    if (signal.aborted) return;
    set({ intake: before?.phase === 'asking' || before?.phase === 'offered' ? before : null });
    messages.report('models', error);
  }
}

async function fetchModel(context: ModelsContext): Promise<void> {
  const { intake } = context.get();
  if (intake?.phase === 'offered' || intake?.phase === 'paused') await fetchOffered(context, intake.offer);
}

async function fetchOffered(context: ModelsContext, found: ModelOffer): Promise<void> {
  const { deps, set, messages } = context;
  const signal = restart(context);
  set({ intake: { phase: 'fetching', offer: found, progress: null, done: [] } });
  // Whatever the browser answers: without its promise the model is kept as long as there is room.
  await deps.storage.persist().catch(() => false);
  try {
    const onEvent = (progress: IntakeProgress) => follow(context, progress);
    await deps.client.fetchModel(found.plan, { signal, onEvent });
  } catch (error) {
    if (signal.aborted) return;
    set({ intake: { phase: 'paused', offer: found } });
    messages.report('models', error);
    return loadModels(context);
  }
  if (!signal.aborted) await arrived(context, found);
}

function follow({ get, set }: Context, progress: IntakeProgress): void {
  const { intake } = get();
  if (intake?.phase !== 'fetching') return;
  const done = progress.status === 'done' ? [...intake.done, progress.file] : intake.done;
  set({ intake: { ...intake, progress, done } });
}

async function arrived(context: Context, { plan }: ModelOffer): Promise<void> {
  const { get, set, messages } = context;
  set({ intake: null });
  messages.announce(`${plan.title} is here: ${fileSize(plan.totalBytes)}.`);
  await loadModels(context);
  const { training, generation } = get();
  if (training === null && generation === null) await get().openModel(plan.id);
  await get().measureUsage();
}

/** Stops what is under way and goes on with `next` of its offer, which it gives back. */
function stop(
  { get, set, running }: ModelsContext,
  next: (offer: ModelOffer) => Intake | null,
): ModelOffer | null {
  const { intake } = get();
  running.controller.abort();
  const found = intake && 'offer' in intake ? intake.offer : null;
  set({ intake: found && next(found) });
  return found;
}

async function pauseFetch(context: ModelsContext): Promise<void> {
  stop(context, (found) => ({ phase: 'paused', offer: found }));
  await loadModels(context);
}

async function dropIntake(context: ModelsContext): Promise<void> {
  const { get, messages } = context;
  const begun = get().intake?.phase === 'fetching' || get().intake?.phase === 'paused';
  const found = stop(context, () => null);
  messages.clear('models');
  if (begun && found) await removeModel(context, found.plan.id);
}

async function openModel({ get }: Context, id: string | null): Promise<void> {
  if (id === (get().base?.keptId ?? null) && id === get().form.model && get().status === 'ready') return;
  get().edit({ model: id });
  await get().reopen();
}

async function removeModel(context: Context, id: string): Promise<void> {
  const { deps, get, messages } = context;
  messages.clear('models');
  try {
    if (get().base?.keptId === id || get().form.model === id) await get().openModel(null);
    await deps.client.removeModel(id);
  } catch (error) {
    messages.report('models', error);
  }
  await Promise.all([loadModels(context), get().measureUsage()]);
}
