/**
 * Training a concept: checks the form, holds the lock against other tabs, follows progress, and puts a checkpoint
 * into the library at every preview, so that a closed tab or a dead worker costs little.
 */
import { toPlainError } from '../lib/errors.ts';
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
import { furtherJob, newJob, type TrainingJob } from './trainingJob.ts';

const MOST_POINTS = 600;

interface TrainingContext extends Context {
  readonly running: {
    /** Stops the training under way. */
    controller: AbortController;
    /** Step of the preview that was taken while training: it is the result. */
    taken: number | null;
  };
}

export function createTrainingSlice(context: Context): TrainingSlice {
  const running = { controller: new AbortController(), taken: null };
  const training: TrainingContext = { ...context, running };
  const { deps } = context;
  return {
    training: null,
    train: () => begin(training, (state) => newJob(deps, state)),
    trainFurther: (conceptId) => begin(training, (state) => furtherJob(deps, state, conceptId)),
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

async function hold(context: TrainingContext, job: TrainingJob): Promise<void> {
  const { deps, get, set, messages, running } = context;
  running.controller = new AbortController();
  running.taken = null;
  set({ training: job.initial, fieldProblems: {} });
  messages.clear('training');
  try {
    await deps.lock.hold(async () => finish(context, job, await run(context, job)));
  } catch (error) {
    reportFailure(context, error);
  } finally {
    set({ training: null });
    void get().measureUsage();
  }
}

async function run(context: TrainingContext, job: TrainingJob): Promise<TrainResult> {
  const { client } = context.deps;
  const { signal } = context.running.controller;
  const request = await job.request();
  if (signal.aborted) throw new DOMException('Stopped before it began.', 'AbortError');
  await client.checkCategory(request.category).catch((error: unknown) => {
    const { code, message } = toPlainError(error);
    throw code.startsWith('category.') ? new FieldError('category', code, message) : error;
  });
  const onEvent = (event: TrainEvent) =>
    event.type === 'progress' ? onProgress(context, event) : onPreview(context, job, event);
  return client.train(request, { signal, onEvent });
}

function update({ set }: Context, change: (training: TrainingState) => Partial<TrainingState>): void {
  set(({ training }) => (training === null ? {} : { training: { ...training, ...change(training) } }));
}

function onProgress(context: Context, event: TrainProgress): void {
  const { step, steps, picturesPerSecond, secondsLeft } = event;
  const point = { step, loss: event.smoothedLoss, spread: event.spread };
  update(context, ({ curve, phase }) => ({
    phase: phase === 'stopping' ? phase : 'running',
    step,
    steps,
    picturesPerSecond,
    secondsLeft,
    curve: extendCurve(curve, point),
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

function onPreview(context: Context, job: TrainingJob, event: TrainPreview): void {
  const preview: PreviewRecord = {
    step: event.step,
    pictures: event.pictures.map((picture) => encodePng(picture)),
    file: toBlob(event.concept),
  };
  update(context, ({ previews }) => ({ previews: [...previews, preview] }));
  void saveConcept(context, checkpoint(context, job, event.step, preview.file));
}

const toBlob = (file: Uint8Array<ArrayBuffer>) => new Blob([file], { type: 'application/octet-stream' });

function checkpoint({ deps, get }: Context, job: TrainingJob, step: number, file: Blob): ConceptRecord {
  const { previews, curve } = get().training ?? { previews: [], curve: [] };
  return { ...job.record, file, step, previews, curve, updated: deps.now() };
}

async function finish(context: TrainingContext, job: TrainingJob, result: TrainResult): Promise<void> {
  const { deps, get, messages, running } = context;
  const preview = get().training?.previews.find((each) => each.step === running.taken);
  const file = preview?.file ?? toBlob(result.concept);
  const step = preview?.step ?? result.step;
  const record = await withFile(deps.client, checkpoint(context, job, step, file), file);
  await saveConcept(context, record);
  get().selectConcept(record.id);
  messages.announce(
    `${result.stopped ? 'Training stopped' : 'Training is done'} at step ${step}. Try it in Create.`,
  );
}

function reportFailure({ get, set, messages }: Context, error: unknown): void {
  const saved = get().training?.previews.at(-1)?.step;
  if (error instanceof FieldError) return set({ fieldProblems: { [error.field]: error.message } });
  messages.report('training', error);
  if (saved !== undefined)
    messages.note(
      'training',
      'training.kept',
      `What was learned up to step ${saved} is in the library. Choose it and continue from there.`,
    );
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
