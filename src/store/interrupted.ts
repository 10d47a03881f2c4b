/**
 * A training that was cut short: what was asked for and how far it came lie in storage from the first moment, so that it can go
 * on exactly, whatever ended it.
 */
import type { Checkpoint } from '../storage/records.ts';
import type { TrainCheckpoint } from '../worker/api.ts';
import type { Context } from './context.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord, Interrupted, TrainingState } from './state.ts';
import type { KeptTraining, TrainingJob } from './trainingJob.ts';

/** Null when no training was cut short. */
export async function keptTraining({ deps }: Context): Promise<KeptTraining | null> {
  const [order, checkpoint] = await Promise.all([
    deps.storage.trainingOrder.load(),
    deps.storage.checkpoint.load(),
  ]);
  if (order === null) return null;
  return { order, checkpoint: checkpoint?.conceptId === order.record.id ? checkpoint : null };
}

/** Keeps a training that begins or goes on. That nothing can be kept is said, and does not keep it from learning. */
export async function keepOrder({ deps, messages }: Context, job: TrainingJob): Promise<void> {
  try {
    if (job.checkpoint === null) await deps.storage.checkpoint.clear();
    await deps.storage.trainingOrder.save(job.order);
  } catch (error) {
    messages.report('training', error);
  }
}

/** Keeps how far it came. One that cannot be kept is no news: the concept itself will say so. */
export async function keepCheckpoint(
  { deps }: Context,
  training: TrainingState,
  { step, concept, losses }: TrainCheckpoint,
): Promise<void> {
  const file = new Blob([concept], { type: 'application/octet-stream' });
  const { conceptId, curve } = training;
  const known = curve.filter((point) => point.step <= step);
  await deps.storage.checkpoint
    .save({ version: 1, conceptId, step, file, losses, curve: known })
    .catch(() => undefined);
}

/** Forgets a training that came to its end, or that nobody wants to go on with. */
export async function forgetTraining({ deps, set }: Context): Promise<void> {
  set({ interrupted: null });
  await deps.storage.trainingOrder.clear().catch(() => undefined);
  await deps.storage.checkpoint.clear().catch(() => undefined);
}

/** Shows a training that was cut short, unless it goes on in another tab: what it learned is in the library, chosen. */
export async function showInterrupted(context: Context): Promise<void> {
  const kept = await context.deps.lock.hold(() => keptTraining(context)).catch(() => null);
  if (kept === null) return;
  const { order, checkpoint } = kept;
  const { id, name, steps, step } = order.record;
  if (checkpoint !== null) {
    await saveConcept(context, learned(context, kept, checkpoint));
    context.get().selectConcept(id);
  }
  const interrupted: Interrupted = { conceptId: id, name, step: checkpoint?.step ?? step, steps };
  context.set({ interrupted });
  context.messages.announce(`The training of ${name} was interrupted and can go on.`);
}

/** The library's record of it, with its previews where it has any, as it was at the checkpoint. */
function learned({ deps, get }: Context, { order }: KeptTraining, checkpoint: Checkpoint): ConceptRecord {
  const { step, file, curve } = checkpoint;
  const known = get().concepts.find(({ id }) => id === order.record.id) ?? order.record;
  const previews = known.previews.filter((preview) => preview.step <= step);
  return { ...known, steps: order.record.steps, step, file, curve, previews, updated: deps.now() };
}
