/** The models that this browser keeps or could keep: what is there, what another one would take, fetching, removing. */
import { AppError } from '../lib/errors.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import type { ModelOffer, ModelList, ModelSourceRequest } from './api.ts';
import { throwIfCancelled } from '../lib/cancellation.ts';
import { checkConfigurations } from '../intake/checkConfigurations.ts';
import { planFromUrl } from '../intake/baseUrl.ts';
import { gatherFacts } from '../intake/facts.ts';
import { fetchModel } from '../intake/fetchModel.ts';
import { planFromFolder } from '../intake/folder.ts';
import { planFromHub, readHubName } from '../intake/hub.ts';
import { planToResume, type ModelPlan } from '../intake/plan.ts';
import { plannedEstimates } from '../intake/plannedMemory.ts';
import { computesHalf, preflight } from '../intake/preflight.ts';
import type { IntakeProgress } from '../intake/progress.ts';

export class ModelCatalog {
  constructor(readonly store: ModelStore) {}

  async info(): Promise<ModelList> {
    const [models, pending, usage] = await Promise.all([
      this.store.list(),
      this.store.incomplete(),
      this.store.usage(),
    ]);
    return { models, pending, usage };
  }

  /** Throws `hub.name`, what the intake's planners throw, and for a folder `onnx.…` when it cannot be compiled. */
  async plan(request: ModelSourceRequest, signal: AbortSignal): Promise<ModelOffer> {
    const plan = await planOf(request, signal);
    await checkConfigurations(plan, { signal });
    await throwIfCancelled(signal);
    return this.offer(plan, signal);
  }

  /** The plan of a fetch that was cut short. Throws `model.chooseAgain` for a folder, `model.none` when it is gone. */
  async resume(id: string, signal: AbortSignal): Promise<ModelOffer> {
    const pending = (await this.store.incomplete()).find((each) => each.id === id);
    if (!pending) throw new AppError('model.none', 'Nothing is left of this model. Get it again.');
    const plan = planToResume(pending);
    if (plan) return this.offer(plan, signal);
    throw new AppError(
      'model.chooseAgain',
      `“${pending.title}” came from a folder on this computer. Choose that folder again; what is here already is not copied twice.`,
    );
  }

  async fetch(
    plan: ModelPlan,
    signal: AbortSignal,
    onProgress: (progress: IntakeProgress) => void,
  ): Promise<void> {
    await fetchModel(plan, this.store, { signal, onProgress });
  }

  private async offer(plan: ModelPlan, signal: AbortSignal): Promise<ModelOffer> {
    const facts = await gatherFacts(this.store);
    const planned = await plannedEstimates(plan, computesHalf(facts), signal);
    return { plan, preflight: preflight(plan, facts, planned ?? undefined) };
  }
}

function planOf(request: ModelSourceRequest, signal: AbortSignal): Promise<ModelPlan> {
  if (request.kind === 'folder') return planFromFolder(request.files);
  if (request.kind === 'url') return planFromUrl(request.address, { signal });
  const named = readHubName(request.name);
  if (!named)
    throw new AppError(
      'hub.name',
      `Expected a repository such as “owner/name”, found “${request.name}”. Copy its name from its page.`,
    );
  return planFromHub(named.repo, request.revision || named.revision, { signal });
}
