/**
 * Training a concept: checks the form, holds the lock against other tabs, follows progress, and puts what was learned into the
 * library at every preview. What a closed tab or a dead worker cuts short goes on from interrupted.ts.
 */
import { AppError, toPlainError } from '../lib/errors.ts';
import { isUsable } from './openBase.ts';
import type { TrainEvent, TrainPreview, TrainProgress, TrainResult } from '../worker/api.ts';
import type { Context } from './context.ts';
import { FieldError } from './fields.ts';
import { encodePng } from '../pictures/png.ts';
import { saveConcept, withFile } from './saving.ts';
import type {
  ConceptRecord,
  CurvePoint,
  PreviewRecord,
  StudioState,
  TrainingSlice,
  TrainingState,
} from './state.ts';
import type { KeptTraining } from '../storage/trainingStore.ts';
import {
  forgetTraining,
  keptTraining,
  leaveTrainings,
  saveLearned,
  showCutShort,
  TrainingKeeper,
} from './interrupted.ts';
import { furtherJob, newJob, requestOf, restOf, type TrainingJob } from './trainingJob.ts';

const MOST_POINTS = 600;

interface TrainingContext extends Context {
  readonly running: {
    /** Stops the training under way. */
    controller: AbortController;
    /** Step of the preview that was taken while training: it is the result. */
    taken: number | null;
    /** Of the training under way. */
    keeper: TrainingKeeper | null;
    /** Trainings that were cut short while the page lived, by concept: they need no storage to go on. */
    readonly cutShort: Map<string, KeptTraining>;
  };
}

export function createTrainingSlice(context: Context): TrainingSlice {
  const cutShort = new Map<string, KeptTraining>();
  const running = { controller: new AbortController(), taken: null, keeper: null, cutShort };
  const training: TrainingContext = { ...context, running };
  const { deps } = context;
  return {
    training: null,
    mayNotify: deps.notifier.permission(),
    askToNotify: async () => context.set({ mayNotify: await deps.notifier.ask() }),
    interrupted: [],
    train: () => begin(training, (state) => newJob(deps, state)),
    trainFurther: (conceptId) => begin(training, (state) => furtherJob(deps, state, conceptId)),
    resumeTraining: (conceptId) => resume(training, conceptId),
    leaveInterrupted: (conceptId) => {
      cutShort.delete(conceptId);
      return leaveTrainings(context, [conceptId]);
    },
    keepTrainingsAgain: () => keepAgain(training),
    stopTraining: () => stop(training),
    takePreview: (conceptId, step) => takePreview(training, conceptId, step),
    checkCategory: () => checkCategory(context),
  };
}

async function begin(context: TrainingContext, makeJob: (state: StudioState) => TrainingJob): Promise<void> {
  if (context.get().training !== null) return;
  try {
    await hold(context, makeJob(context.get()));
  } catch (error) {
    reportFailure(context, error);
  }
}

async function resume(context: TrainingContext, conceptId: string): Promise<void> {
  const stored = await keptTraining(context, conceptId).catch(() => null);
  const kept = stored ?? context.running.cutShort.get(conceptId);
  if (kept === undefined) return forgetTraining(context, conceptId);
  const { record } = kept.order;
  const known = context.get().concepts.find(({ id }) => id === record.id);
  await begin(context, (state) => {
    if (!isUsable(state, record)) throw otherBase(record);
    return restOf(kept, known?.previews ?? []);
  });
}

function otherBase({ name, baseId }: ConceptRecord): AppError {
  return new AppError(
    'training.base',
    `“${name}” is learned on ${baseId}. Open that model, then go on with it.`,
  );
}

async function hold(context: TrainingContext, job: TrainingJob): Promise<void> {
  const { deps, get, set, messages, running } = context;
  const keeper = new TrainingKeeper(context, job);
  Object.assign(running, { controller: new AbortController(), taken: null, keeper });
  set({ training: job.initial, fieldProblems: {} });
  messages.clear('training');
  try {
    await deps.lock.hold(async () => {
      running.cutShort.delete(job.initial.conceptId);
      keeper.begin();
      await finish(context, job, await run(context, job));
      await keeper.idle();
      await forgetTraining(context, job.initial.conceptId);
    });
  } catch (error) {
    await afterFailure(context, keeper, error);
  } finally {
    running.keeper = null;
    set({ training: null });
    void get().measureUsage();
  }
}

/** A training that came some way can go on from there; one that could not begin is forgotten. */
async function afterFailure(context: TrainingContext, keeper: TrainingKeeper, error: unknown): Promise<void> {
  const { code } = toPlainError(error);
  if (code === 'training.otherTab') return reportFailure(context, error);
  await keeper.idle();
  const { kept } = keeper;
  const { id } = kept.order.record;
  // The page says that the worker died, and the training says how to go on.
  if (code !== 'worker.died') reportFailure(context, error);
  context.set({ training: null });
  // It would only diverge again: what it had learned before stays.
  if (code === 'training.diverged' && kept.checkpoint !== null)
    await saveLearned(context, kept, kept.checkpoint);
  else if (code === 'worker.died' || kept.checkpoint !== null) {
    context.running.cutShort.set(id, kept);
    return showCutShort(context, kept);
  }
  await forgetTraining(context, id);
}

/** What can be stored again can go on; the rest is as far as the library has it. */
async function keepAgain(context: TrainingContext): Promise<void> {
  const { keeper, cutShort } = context.running;
  await keeper?.keepAgain();
  for (const { conceptId } of context.get().interrupted) {
    const kept = cutShort.get(conceptId);
    if (kept === undefined) await forgetTraining(context, conceptId);
    else await new TrainingKeeper(context, kept).keepAgain();
  }
}

async function run(context: TrainingContext, job: TrainingJob): Promise<TrainResult> {
  const { client } = context.deps;
  const { ground } = context.get();
  const { signal } = context.running.controller;
  const request = await requestOf(context.deps, job, ground);
  if (signal.aborted) throw new DOMException('Stopped before it began.', 'AbortError');
  await client.checkCategory(request.category).catch((error: unknown) => {
    const { code, message } = toPlainError(error);
    throw code.startsWith('category.') ? new FieldError('category', code, message) : error;
  });
  return client.train(request, { signal, onEvent: (event) => onEvent(context, job, event) });
}

function onEvent(context: TrainingContext, job: TrainingJob, event: TrainEvent): void {
  const { training } = context.get();
  if (event.type === 'progress') return onProgress(context, event);
  if (event.type === 'preview') return onPreview(context, job, event);
  if (training !== null) context.running.keeper?.keep(event, training);
}

function update({ set }: Context, change: (training: TrainingState) => Partial<TrainingState>): void {
  set(({ training }) => (training === null ? {} : { training: { ...training, ...change(training) } }));
}

function onProgress(context: Context, event: TrainProgress): void {
  const { step, steps, picturesPerSecond, secondsLeft, points } = event;
  update(context, ({ curve, phase }) => ({
    phase: phase === 'stopping' ? phase : 'running',
    step,
    steps,
    picturesPerSecond,
    secondsLeft,
    curve: points.reduce(extendCurve, curve),
  }));
  announceQuarter(context, step, steps);
}

/** Appends a point; a long curve loses every second point, never its shape. */
export function extendCurve(curve: readonly CurvePoint[], point: CurvePoint): readonly CurvePoint[] {
  const kept = curve.length < MOST_POINTS ? curve : curve.filter((_, index) => index % 2 === 0);
  return [...kept, point];
}

function announceQuarter({ get, messages }: Context, step: number, steps: number): void {
  const quarter = Math.floor((4 * step) / steps);
  const text = `Training is ${quarter * 25}% done.`;
  if (quarter > 0 && quarter < 4 && get().announcement !== text) messages.announce(text);
}

function onPreview(context: TrainingContext, job: TrainingJob, event: TrainPreview): void {
  const preview: PreviewRecord = {
    step: event.step,
    pictures: event.pictures.map((picture) => encodePng(picture)),
    file: toBlob(event.concept),
  };
  // One that was cut short may come to the same preview again.
  const earlier = ({ step }: PreviewRecord) => step < preview.step;
  update(context, ({ previews }) => ({ previews: [...previews.filter(earlier), preview] }));
  const record = checkpoint(context, job, event.step, preview.file);
  // Before later checkpoints: one that goes on from there has its previews.
  context.running.keeper?.then(() => saveConcept(context, record));
}

const toBlob = (file: Uint8Array<ArrayBuffer>) => new Blob([file], { type: 'application/octet-stream' });

function checkpoint({ deps, get }: Context, job: TrainingJob, step: number, file: Blob): ConceptRecord {
  const { previews, curve } = get().training ?? { previews: [], curve: [] };
  return { ...job.order.record, file, step, previews, curve, updated: deps.now() };
}

async function finish(context: TrainingContext, job: TrainingJob, result: TrainResult): Promise<void> {
  const { deps, get, messages, running } = context;
  const preview = get().training?.previews.find((each) => each.step === running.taken);
  const file = preview?.file ?? toBlob(result.concept);
  const step = preview?.step ?? result.step;
  const record = await withFile(deps.client, checkpoint(context, job, step, file), file);
  await saveConcept(context, record);
  get().selectConcept(record.id);
  if (get().concepts.length === 1) void deps.storage.persist().catch(() => false);
  if (!result.stopped) deps.notifier.show('Training is done', `“${record.name}” is ready to be drawn.`);
  messages.announce(
    `${result.stopped ? 'Training stopped' : 'Training is done'} at step ${step}. Try it in Create.`,
  );
}

function reportFailure({ set, messages }: Context, error: unknown): void {
  if (error instanceof FieldError) set({ fieldProblems: { [error.field]: error.message } });
  else messages.report('training', error);
}

function stop(context: TrainingContext): void {
  update(context, () => ({ phase: 'stopping' }));
  context.running.controller.abort();
}

async function takePreview(context: TrainingContext, conceptId: string, step: number): Promise<void> {
  const { deps, get, running } = context;
  if (get().training?.conceptId === conceptId) {
    running.taken = step;
    return stop(context);
  }
  const record = get().concepts.find((each) => each.id === conceptId);
  const preview = record?.previews.find((each) => each.step === step);
  if (record === undefined || preview === undefined) return;
  const taking = { ...record, step, updated: deps.now() };
  await saveConcept(context, await withFile(deps.client, taking, preview.file));
}

/** Says at the field what is wrong with the category word, unless it changes meanwhile. */
async function checkCategory({ deps, get, set }: Context): Promise<void> {
  const category = get().form.category.trim();
  if (category === '' || get().status !== 'ready' || get().training !== null) return;
  const problem = await deps.client.checkCategory(category).then(() => null, toPlainError);
  if (problem !== null && get().form.category.trim() === category)
    set(({ fieldProblems }) => ({ fieldProblems: { ...fieldProblems, category: problem.message } }));
}
