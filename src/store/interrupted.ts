/**
 * A training that was cut short: what was asked for and how far it came lie in storage from the first moment, so that it can go
 * on exactly, whatever ended it.
 */
import { toPlainError, type PlainError } from '../lib/errors.ts';
import type { Checkpoint } from '../storage/records.ts';
import type { KeptTraining } from '../storage/trainingStore.ts';
import type { TrainCheckpoint } from '../worker/api.ts';
import type { Context } from './context.ts';
import { saveConcept } from './saving.ts';
import type { ConceptRecord, Interrupted, TrainingState } from './state.ts';

/** Keeps a training that is under way: one write after another, for which it never waits. */
export class TrainingKeeper {
  /** The newest checkpoint, stored or not: while the page lives it is enough. */
  private latest: Checkpoint | null;
  private stored: Checkpoint | null;
  private begun = false;
  private told = false;
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly context: Context,
    { order, checkpoint }: KeptTraining,
  ) {
    this.order = order;
    this.latest = this.stored = checkpoint;
  }

  readonly order: KeptTraining['order'];

  get kept(): KeptTraining {
    return { order: this.order, checkpoint: this.latest };
  }

  /** Work that must be done before later checkpoints are stored. */
  then(work: () => Promise<void>): void {
    this.queue = this.queue.then(work);
  }

  begin(): void {
    this.then(() => this.store());
  }

  keep({ step, concept, losses }: TrainCheckpoint, { curve }: Pick<TrainingState, 'curve'>): void {
    const { run, record } = this.order;
    const file = new Blob([concept], { type: 'application/octet-stream' });
    const known = curve.filter((point) => point.step <= step);
    this.latest = { version: 1, conceptId: record.id, run, step, file, losses, curve: known };
    this.then(() => this.store());
  }

  /** Everything anew, after what was stored got lost. */
  keepAgain(): Promise<void> {
    this.begun = false;
    this.stored = null;
    this.begin();
    return this.queue;
  }

  /** Resolves when nothing is left to store. */
  idle(): Promise<void> {
    return this.queue;
  }

  /** A slow disk skips checkpoints, and what cannot be stored is tried again with the next. */
  private async store(): Promise<void> {
    const { latest, order } = this;
    const { trainings } = this.context.deps.storage;
    try {
      if (!this.begun) await trainings.begin(order);
      this.begun = true;
      if (latest !== null && latest !== this.stored) await trainings.keep(latest);
      this.stored = latest;
    } catch (error) {
      this.tell(toPlainError(error));
    }
  }

  /** Once a training. */
  private tell({ code }: PlainError): void {
    if (this.told) return;
    this.told = true;
    const reason =
      code === 'storage.full'
        ? 'the space that the browser gives this page is full; removing results or concepts under Storage makes room'
        : 'the browser does not let this page store anything';
    const message = `How far this training came cannot be kept: ${reason}. It goes on; keep this tab open until it is done.`;
    this.context.messages.note('training', code, message);
  }
}

/** Null when no training of the concept was cut short. */
export async function keptTraining({ deps }: Context, conceptId: string): Promise<KeptTraining | null> {
  const all = await deps.storage.trainings.list();
  return all.find(({ order }) => order.record.id === conceptId) ?? null;
}

/** Forgets a training that came to its end. The caller holds the training lock. */
export async function forgetTraining(context: Context, conceptId: string): Promise<void> {
  withdraw(context, [conceptId]);
  await context.deps.storage.trainings.forget(conceptId).catch(() => undefined);
}

/** Forgets trainings that nobody wants to go on with, unless they have gone on in another tab. */
export async function leaveTrainings(context: Context, conceptIds: readonly string[]): Promise<void> {
  withdraw(context, conceptIds);
  const { lock, storage } = context.deps;
  await lock
    .hold(() => Promise.all(conceptIds.map((id) => storage.trainings.forget(id))))
    .catch(() => undefined);
}

function withdraw({ set }: Context, conceptIds: readonly string[]): void {
  set(({ interrupted }) => ({
    interrupted: interrupted.filter(({ conceptId }) => !conceptIds.includes(conceptId)),
  }));
}

/** Shows the trainings that were cut short, unless one goes on in another tab. */
export async function showInterrupted(context: Context): Promise<void> {
  const { lock, storage } = context.deps;
  const kept = await lock.hold(() => storage.trainings.list()).catch(() => []);
  for (const each of kept) await showCutShort(context, each);
}

/** Those that another tab brought to their end are no longer offered here. */
export async function followInterrupted(context: Context): Promise<void> {
  const offered = context.get().interrupted.map(({ conceptId }) => conceptId);
  if (offered.length === 0) return;
  const kept = await context.deps.storage.trainings.list();
  withdraw(
    context,
    offered.filter((id) => kept.every(({ order }) => order.record.id !== id)),
  );
}

/** Offers to go on; what it learned is in the library, chosen. */
export async function showCutShort(context: Context, kept: KeptTraining): Promise<void> {
  const { order, checkpoint } = kept;
  const { id, name, steps, step } = order.record;
  if (checkpoint !== null) await saveLearned(context, kept, checkpoint);
  const cut: Interrupted = { conceptId: id, name, step: checkpoint?.step ?? step, steps };
  withdraw(context, [id]);
  context.set(({ interrupted }) => ({ interrupted: [...interrupted, cut] }));
  context.messages.announce(`The training of ${name} was interrupted and can go on.`);
}

/** The library's record of it, with its previews where it has any, as it was at the checkpoint. */
export async function saveLearned(
  context: Context,
  { order }: KeptTraining,
  { step, file, curve }: Checkpoint,
): Promise<void> {
  const { deps, get } = context;
  const { id, steps } = order.record;
  const known = get().concepts.find((each) => each.id === id) ?? order.record;
  const previews = known.previews.filter((preview) => preview.step <= step);
  const learned: ConceptRecord = { ...known, steps, step, file, curve, previews, updated: deps.now() };
  await saveConcept(context, learned);
  get().selectConcept(id);
}
