/** The models that this browser keeps or could keep: what is there, what another one would take, fetching, removing. */
import { AppError } from '../lib/errors.ts';
import type { ModelStore } from '../storage/modelStore.ts';
import type { KnownModels, ModelAnswer, ModelOffer, ModelList, ModelSourceRequest } from './api.ts';
import { throwIfCancelled } from '../lib/cancellation.ts';
import { checkConfigurations } from '../intake/checkConfigurations.ts';
import { planFromUrl } from '../intake/baseUrl.ts';
import { gatherFacts } from '../intake/facts.ts';
import { fetchModel } from '../intake/fetchModel.ts';
import { planFromFolder } from '../intake/folder.ts';
import { planFromHub } from '../intake/hub.ts';
import { readHubAddress, type HubAddress } from '../intake/address.ts';
import { judgeKnownModels } from '../intake/knownModels.ts';
import { OpenQuestion, planToResume, type ModelPlan } from '../intake/plan.ts';
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

  async known(): Promise<KnownModels> {
    return judgeKnownModels(await gatherFacts(this.store));
  }

  /**
   * An offer, or what must be answered before there is one. Throws `hub.name`, what the intake's planners throw, and `onnx.…` and
   * `checkpoint.…` for what cannot be compiled.
   */
  async plan(request: ModelSourceRequest, signal: AbortSignal): Promise<ModelAnswer> {
    try {
      await throwIfCancelled(signal);
      const plan = await planOf(request, signal);
      await checkConfigurations(plan, { signal });
      await throwIfCancelled(signal);
      return { offer: await this.offer(plan, signal) };
    } catch (error) {
      if (error instanceof OpenQuestion) return { question: error.question };
      throw error;
    }
  }

  /** The plan of a fetch that was cut short. Throws `model.chooseAgain` for a folder, `model.none` when it is gone. */
  async resume(id: string): Promise<ModelOffer> {
    const pending = (await this.store.incomplete()).find((each) => each.id === id);
    if (!pending) throw new AppError('model.none', 'Nothing is left of this model. Get it again.');
    const plan = planToResume(pending);
    if (plan) return { plan, preflight: preflight(plan, await gatherFacts(this.store)) };
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
  const { pick, vae, guess } = request;
  const options = { pick, vae, guess, signal };
  if (request.kind === 'folder') return planFromFolder(request.files, options);
  const address = request.kind === 'hub' ? request.name : request.address;
  const isLink = /^\s*https?:/i.test(address);
  const named = request.kind === 'hub' || isLink ? readHubAddress(address) : null;
  if (named) return planFromHub(named.repo, revisionOf(request, named), { ...options, path: named.path });
  if (request.kind === 'url' || isLink) return planFromUrl(address, options);
  throw new AppError(
    'hub.name',
    `Expected a repository such as “owner/name”, found “${address}”. Copy its name from its page.`,
  );
}

function revisionOf(request: ModelSourceRequest, { revision }: HubAddress): string {
  return (request.kind === 'hub' && request.revision) || revision;
}
